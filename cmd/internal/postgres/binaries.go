package postgres

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// oldestMajor is the oldest Postgres we run on: 15 brought security_invoker views, which row-level security needs.
const oldestMajor = 15

// binaries is one installed Postgres server: the folder of its programs and its major version.
type binaries struct {
	dir   string
	major int
}

func (b binaries) path(program string) string { return filepath.Join(b.dir, program) }

// findBinaries picks the installed server for a data folder made by major version made, or the newest one when
// made is 0. Debian keeps each major in a folder of its own outside PATH; other systems have one on PATH or known
// to pg_config.
func findBinaries(made int) (binaries, error) {
	var found []binaries
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return binaries{}, err
	}
	for _, dir := range folders {
		major, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err == nil && complete(dir) {
			found = append(found, binaries{dir, major})
		}
	}
	if len(found) == 0 {
		found = elsewhere()
	}
	return choose(found, made)
}

// choose takes the major version that made the data folder, or the newest for an empty one.
func choose(found []binaries, made int) (binaries, error) {
	var newest binaries
	for _, b := range found {
		if made != 0 && b.major == made {
			return b, nil
		}
		if b.major > newest.major {
			newest = b
		}
	}
	switch {
	case newest.major == 0 && made == 0:
		return binaries{}, fmt.Errorf("no Postgres server is installed: run `apt-get install postgresql`, or name a server with --database")
	case newest.major == 0 || made != 0:
		return binaries{}, fmt.Errorf("the data folder was made by Postgres %d, which is not installed: run `apt-get install postgresql-%d`, or move the data with pg_upgrade", made, made)
	case newest.major < oldestMajor:
		return binaries{}, fmt.Errorf("the installed Postgres %d is too old: install Postgres %d or newer, or name a server with --database", newest.major, oldestMajor)
	}
	return newest, nil
}

// elsewhere looks on PATH and asks pg_config.
func elsewhere() []binaries {
	var folders []string
	if program, err := exec.LookPath("postgres"); err == nil {
		folders = append(folders, filepath.Dir(program))
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	for _, dir := range folders {
		if !complete(dir) {
			continue
		}
		out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
		if err != nil {
			continue
		}
		if major, ok := parseMajor(string(out)); ok {
			return []binaries{{dir, major}}
		}
	}
	return nil
}

// parseMajor reads the major version out of "postgres (PostgreSQL) 16.3 (…)".
func parseMajor(version string) (int, bool) {
	_, rest, found := strings.Cut(version, "(PostgreSQL) ")
	if !found {
		return 0, false
	}
	digits := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		digits = len(rest)
	}
	major, err := strconv.Atoi(rest[:digits])
	return major, err == nil
}

// complete reports whether dir holds both programs we run.
func complete(dir string) bool {
	for _, program := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(dir, program))
		if err != nil || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}
