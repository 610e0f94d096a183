package postgres_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
)

// shared is one cluster for the tests that are not about clusters; each makes databases of its own there.
var shared *postgres.Cluster

// template is the folder of a stopped cluster, to copy.
var template string

// helperFolder, when set, turns this test binary into a program that manages the cluster in that folder.
const helperFolder = "ATRIUM_HELPER_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperFolder); dir != "" {
		if err := helper(dir); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "atrium-postgres-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	template = filepath.Join(dir, "template")
	for _, start := range []string{"template", "shared"} {
		c, err := postgres.Manage(ctx, postgres.ManageOptions{Dir: filepath.Join(dir, start), Unsafe: true})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if start == "shared" {
			shared = c
			break
		}
		if err = c.Stop(ctx); err == nil {
			err = os.CopyFS(filepath.Join(dir, "shared"), os.DirFS(template))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	code := m.Run()
	if err := shared.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// made gives a folder with a stopped cluster in it, in a fraction of the time it takes to make one.
func made(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "made")
	if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// helper manages the cluster in dir, prints its URL and stops it when standard input ends.
func helper(dir string) error {
	ctx := context.Background()
	c, err := postgres.Manage(ctx, postgres.ManageOptions{Dir: dir, Wait: 200 * time.Millisecond})
	if err != nil {
		return err
	}
	fmt.Println(c.URL())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return c.Stop(ctx)
}

var databases atomic.Int32

// database makes an empty database on the shared cluster and gives its superuser URL.
func database(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	exec(t, shared.URL(), "CREATE DATABASE "+name)
	return strings.Replace(shared.URL(), "/postgres?", "/"+name+"?", 1)
}

// connect opens pools on a database and closes them after the test.
func connect(t *testing.T, url string) *postgres.Pools {
	t.Helper()
	p, err := postgres.Connect(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// migrated opens pools on a fresh database with schema ops.
func migrated(t *testing.T) *postgres.Pools {
	t.Helper()
	p := connect(t, database(t))
	if err := p.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// exec runs statements on a connection of its own.
func exec(t *testing.T, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, s := range statements {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// value reads one value on a connection of its own.
func value[T any](t *testing.T, url, query string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var v T
	if err := conn.QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// wantError checks that err says all of the words.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

// testLog sends the server's messages to the test's output.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}
