package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Disk is a folder with the last checkpoint of each log and the witness's secret. One process uses it at a time.
type Disk struct {
	dir  string
	lock *os.File
}

// OpenDisk makes the folder when it is not there, closed to others, and locks it.
func OpenDisk(dir string) (*Disk, error) {
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o700); err != nil {
		return nil, fmt.Errorf("the witness's folder cannot be made (%w): name one that can with --data", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("another witness works in %s: stop it, or name another folder with --data", dir)
	}
	return &Disk{dir, lock}, nil
}

// Close lets others use the folder.
func (d *Disk) Close() error { return d.lock.Close() }

// Last implements evidence.WitnessDisk.
func (d *Disk) Last(origin string) ([]byte, error) {
	signed, err := os.ReadFile(d.file(origin))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return signed, err
}

// Keep implements evidence.WitnessDisk.
func (d *Disk) Keep(origin string, signed []byte) error { return replace(d.file(origin), signed) }

func (d *Disk) file(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return filepath.Join(d.dir, "logs", hex.EncodeToString(sum[:]))
}

// Secret gives the secret of the witness's key, 32 bytes, making it with random the first time.
func (d *Disk) Secret(random func([]byte) (int, error)) ([]byte, error) {
	name := filepath.Join(d.dir, "witness.key")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		secret := make([]byte, 32)
		if _, err := random(secret); err != nil {
			return nil, err
		}
		return secret, replace(name, []byte(hex.EncodeToString(secret)+"\n"))
	}
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(string(text[:max(0, len(text)-1)]))
	if err != nil || len(secret) != 32 {
		return nil, fmt.Errorf("the witness's key %s is damaged: restore it from its backup", name)
	}
	return secret, nil
}

// replace writes a file whole and on disk, or not at all.
func replace(name string, content []byte) error {
	dir := filepath.Dir(name)
	file, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
