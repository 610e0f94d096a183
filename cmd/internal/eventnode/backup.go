package eventnode

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"
)

// Backup copies the log to a folder that does not exist yet, while the node goes on working. The copy holds at least everything
// that was acknowledged before the call, and whole appends only; a node started on it goes on from there. On one file system
// finished files are linked, not copied, so take the copy to another disk afterwards.
//
// It fails with one sentence and its cure, and then leaves no folder behind.
func (n *Node) Backup(dir string) error {
	n.mu.RLock()
	defer n.mu.RUnlock()
	select {
	case <-n.closing:
		return errors.New("the event node is closed")
	default:
	}
	if err := n.store.failed(); err != nil {
		return fmt.Errorf("the event store cannot be backed up, because it is closed for writing after a failed write (%w); check the disk, restart the event node and try again", err)
	}
	return n.store.backup(dir)
}

// Backup copies the log of a node that does not run from its data folder to a folder that does not exist yet. It fails while a
// node uses the data folder: ask that node.
func Backup(data, dir string, logger *slog.Logger) (err error) {
	if _, err := os.Stat(data); err != nil {
		return fmt.Errorf("there is no event store to back up: %w; name its folder", err)
	}
	s, err := openStore(data, nil, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return s.backup(dir)
}

// backup makes the copy under another name and gives it its name when it is complete and on the disk.
func (s *store) backup(dir string) error {
	unfinished := dir + ".unfinished"
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the backup folder %s exists already; name one that does not", dir)
	}
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("the unfinished backup %s cannot be removed: %w; remove it", unfinished, err)
	}
	err := s.checkpoint(unfinished)
	if err == nil {
		err = errors.Join(os.Rename(unfinished, dir), syncFolder(filepath.Dir(dir)))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("the event store cannot be copied to %s: %w; choose a folder on a disk with room that can be written", dir, err), os.RemoveAll(unfinished))
	}
	return nil
}

// checkpoint runs in a goroutine of its own, because Pebble ends the one that meets a failed fsync.
func (s *store) checkpoint(dir string) error {
	done := make(chan error, 1)
	go func() {
		err := errors.New("the disk does not take what is written")
		defer func() { done <- err }()
		err = s.db.Checkpoint(dir, pebble.WithFlushedWAL())
	}()
	return <-done
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
