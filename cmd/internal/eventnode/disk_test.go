package eventnode

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
)

// childSmallDisk tells the test binary to run a node on a small disk of its own, at the folder it names.
const childSmallDisk = "EVENTNODE_CHILD_SMALL_DISK"

const (
	smallDisk, smallDiskFree = 192 << 20, 64 << 20
	grownDisk                = 512 << 20
)

// runOnSmallDisk mounts a file system in memory, which only this process sees, and runs a node on it. It grows the disk when
// told to, and ends with its input.
func runOnSmallDisk() {
	dir := os.Getenv(childSmallDisk)
	mount := func(size int, flags uintptr) {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, fmt.Sprint("size=", size)); err != nil {
			fmt.Println("mount:", err)
			os.Exit(1)
		}
	}
	mount(smallDisk, 0)
	n, err := Start(context.Background(), Options{Dir: dir + "/data", Listen: "127.0.0.1:0", MinFree: smallDiskFree})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(n.URL())
	told := bufio.NewScanner(os.Stdin)
	for told.Scan() {
		mount(grownDisk, syscall.MS_REMOUNT)
		fmt.Println("grown")
	}
	if err := n.Close(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// TestFullDisk fills a small disk: appends are refused from the low-water mark on, reads go on, nothing acknowledged is lost,
// and with more room appends go on without a restart.
func TestFullDisk(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childSmallDisk+"="+t.TempDir())
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 { // then only a user namespace may mount
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	said := bufio.NewScanner(out)
	if !said.Scan() || !strings.HasPrefix(said.Text(), "esdb") {
		t.Fatalf("the node did not start: %s", said.Text())
	}
	conf, err := esdb.ParseConnectionString(said.Text())
	if err != nil {
		t.Fatal(err)
	}
	conf.Logger = esdb.NoopLogging()
	c, err := esdb.NewClient(conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })

	random := rand.NewChaCha8([32]byte{1})
	big := func() esdb.EventData {
		data := make([]byte, 900_000)
		_, _ = random.Read(data) // never fails; what compresses would not fill the disk
		return esdb.EventData{EventID: uuid.New(), EventType: "Big", Data: data}
	}
	// What flushes give back is written to again; then it is full for good.
	acknowledged, refused := 0, 0
	for refused < 20 && acknowledged < grownDisk/900_000 {
		_, err := c.AppendToStream(soon(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, big())
		switch s := grpcStatus(err); {
		case err == nil:
			acknowledged++
		case s.Code() == codes.ResourceExhausted && strings.Contains(s.Message(), "nothing is stored below 64 MiB"):
			refused++
		default:
			t.Fatalf("after %d MiB: %v", acknowledged*900_000>>20, err)
		}
	}
	if acknowledged == 0 || refused < 20 {
		t.Errorf("%d appends were acknowledged and %d refused", acknowledged, refused)
	}
	if got := len(readStream(t, c, "s", esdb.ReadStreamOptions{})); got != acknowledged {
		t.Errorf("%d events, %d acknowledged", got, acknowledged)
	}
	if _, err := io.WriteString(in, "grow\n"); err != nil || !said.Scan() {
		t.Fatal(said.Text(), err)
	}
	for range 40 {
		appendTo(t, c, "s", esdb.Any{}, big())
		acknowledged++
	}
	if got := len(readStream(t, c, "s", esdb.ReadStreamOptions{})); got != acknowledged {
		t.Errorf("with more room: %d events, %d acknowledged", got, acknowledged)
	}
	t.Logf("%d events of 900 kB acknowledged, before and after the disk was full", acknowledged)
}
