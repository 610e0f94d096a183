package postgres

import (
	"log/slog"
	"strings"
	"testing"
)

func TestServersWeCannotRunOn(t *testing.T) {
	good := server{version: 150018, name: "15.18", encoding: "UTF8"}
	if err := good.fit(); err != nil {
		t.Error(err)
	}
	old := good
	old.version, old.name = 140012, "14.12"
	if err := old.fit(); err == nil || err.Error() != "the database runs Postgres 14.12, which is too old: upgrade it to 15 or newer" {
		t.Error(err)
	}
	standby := good
	standby.standby = true
	if err := standby.fit(); err == nil || !strings.Contains(err.Error(), "name its primary") {
		t.Error(err)
	}
}

func TestChoiceOfBinaries(t *testing.T) {
	b13, b15, b17 := binaries{"/13", 13}, binaries{"/15", 15}, binaries{"/17", 17}
	for _, c := range []struct {
		name  string
		found []binaries
		made  int
		want  binaries
		says  string
	}{
		{"newest for an empty folder", []binaries{b15, b17, b13}, 0, b17, ""},
		{"the one that made the data", []binaries{b15, b17}, 15, b15, ""},
		{"none", nil, 0, binaries{}, "run `apt-get install postgresql`"},
		{"none for the data", nil, 16, binaries{}, "apt-get install postgresql-16"},
		{"another for the data", []binaries{b15, b17}, 16, binaries{}, "made by Postgres 16, which is not installed"},
		{"too old", []binaries{b13}, 0, binaries{}, "the installed Postgres 13 is too old: install Postgres 15 or newer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := choose(c.found, c.made)
			if got != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestMajorOfAVersionLine(t *testing.T) {
	for line, want := range map[string]int{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": 15,
		"postgres (PostgreSQL) 18beta1\n":                        18,
		"postgres (PostgreSQL) 17":                               17,
		"something else":                                         0,
	} {
		if got, _ := parseMajor(line); got != want {
			t.Errorf("%q: %d, want %d", line, got, want)
		}
	}
}

func TestLinesOfTheServerLog(t *testing.T) {
	for _, c := range []struct {
		line    string
		level   slog.Level
		message string
		fatal   bool
	}{
		{"postmaster|LOG:  starting", slog.LevelDebug, "starting", false},
		{"client backend|ERROR:  division by zero", slog.LevelDebug, "division by zero", false},
		{"client backend|FATAL:  role is unknown", slog.LevelDebug, "role is unknown", false},
		{"autovacuum worker|ERROR:  could not read block", slog.LevelWarn, "could not read block", false},
		{"startup|FATAL:  could not read the log", slog.LevelWarn, "could not read the log", true},
		{"client backend|PANIC:  could not write", slog.LevelError, "could not write", true},
		{"initdb: error: no space", slog.LevelWarn, "no space", true},
		{"postgres: could not find it", slog.LevelDebug, "could not find it", true},
		{"\tand more", slog.LevelDebug, "\tand more", false},
	} {
		if level, message, fatal := logLine(c.line); level != c.level || message != c.message || fatal != c.fatal {
			t.Errorf("%q: %v %q %v", c.line, level, message, fatal)
		}
	}
}
