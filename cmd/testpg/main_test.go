package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
)

func TestRunsTheCommandBesideAPostgres(t *testing.T) {
	for _, c := range []struct {
		name   string
		script string
		code   int
	}{
		{"passes", "exit 0", 0},
		{"fails", "exit 3", 3},
		{"is told to end", "kill -TERM $PPID; exec sleep 60", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			t.Setenv(variable, "")
			seen := filepath.Join(t.TempDir(), "seen")
			code, err := run(t.Context(), []string{"--", "sh", "-c", "echo $" + variable + " > " + seen + "; " + c.script})
			if code != c.code || err != nil {
				t.Errorf("code %d, %v", code, err)
			}
			if url, err := os.ReadFile(seen); err != nil || !strings.HasPrefix(string(url), "postgres://") {
				t.Errorf("the command saw %q, %v", url, err)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestUsesTheServerThatIsNamed(t *testing.T) {
	c, err := postgres.Manage(t.Context(), postgres.ManageOptions{Dir: t.TempDir(), Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(c)
	t.Setenv(variable, c.URL())
	t.Setenv("EXPECTED", c.URL())
	if code, err := run(t.Context(), []string{"sh", "-c", `test "$EXPECTED" = "$` + variable + `"`}); code != 0 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
}

func TestWrongUse(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv(variable, "")
	if code, err := run(t.Context(), []string{"--"}); code != 2 || err == nil {
		t.Errorf("no command: %d, %v", code, err)
	}
	if code, err := run(t.Context(), []string{"no-such-command"}); code != 1 || err == nil {
		t.Errorf("unknown command: %d, %v", code, err)
	}
}
