package blob

import (
	"fmt"
	"os"
	"path/filepath"
)

// factsExt ends the names of the files in which a folder holds what lies beside a file.
const factsExt = ".attrs"

// settle brings a file that was just written in a folder onto the disk: its content, what lies beside it, and the
// folders that name them. The library leaves that to the system, which may take half a minute. A bucket has done it by
// itself.
func (s *Store) settle(key string) error {
	if s.dir == "" {
		return nil
	}
	path := filepath.Join(s.dir, filepath.FromSlash(key))
	names := []string{path, path + factsExt}
	for at := filepath.Dir(path); at != s.dir; at = filepath.Dir(at) {
		names = append(names, at)
	}
	for _, name := range append(names, s.dir) {
		if err := syncFile(name); err != nil {
			return fmt.Errorf("an upload did not reach the disk: %w", err)
		}
	}
	return nil
}

func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
