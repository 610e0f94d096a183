package eventnode

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestNodeJSClient has the official Node.js client append, read, subscribe a hundred times, stay silent and come back after a
// restart; testdata/client.cjs says what it expects.
func TestNodeJSClient(t *testing.T) {
	t.Run("plain", func(t *testing.T) {
		n, again := restartable(t, Options{})
		runNodeJS(t, n.URL(), again)
	})
	t.Run("TLS and a password", func(t *testing.T) {
		cert, key := certificate(t)
		n, again := restartable(t, Options{CertFile: cert, KeyFile: key, Users: map[string]string{"atrium": goodPassword}})
		_, port, err := net.SplitHostPort(n.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		runNodeJS(t, "esdb://atrium:correct%20horse%20battery@127.0.0.1:"+port+"?tls=true&tlsCAFile="+cert, again)
	})
}

// restartable runs a node, and another one on the same folder and address each time it is asked to.
func restartable(t *testing.T, o Options) (n *Node, again func()) {
	t.Helper()
	o.Dir = t.TempDir()
	n = started(t, o)
	o.Listen = n.listener.Addr().String()
	return n, func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		started(t, o)
	}
}

// runNodeJS runs the script until it ends, restarting the node when it asks for that.
func runNodeJS(t *testing.T, connection string, restart func()) {
	t.Helper()
	modules, err := filepath.Abs("../../../.tools/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, "@eventstore")); err != nil {
		t.Fatal("the Node.js client is not installed: run .ci/install-npm-packages")
	}
	const script = "testdata/client.cjs"
	if _, err := os.Stat(script); err != nil { // also so that a change of it makes go test run again
		t.Fatal(err)
	}
	idle := 2 * time.Second
	if os.Getenv("ATRIUM_FAULT") == "long" {
		idle = 150 * time.Second
	}
	ctx, cancel := context.WithTimeout(t.Context(), idle+2*time.Minute) // a client that waits for ever fails, with what it said
	defer cancel()
	program := exec.CommandContext(ctx, "node", script, connection, strconv.FormatInt(idle.Milliseconds(), 10))
	program.Env = append(os.Environ(), "NODE_PATH="+modules)
	var complaints strings.Builder
	program.Stderr = &complaints
	input, err := program.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if t.Log(lines.Text()); lines.Text() != "restart" {
			continue
		}
		restart()
		fmt.Fprintln(input, "done")
	}
	if err := program.Wait(); err != nil {
		t.Errorf("%v\n%s", err, complaints.String())
	}
}
