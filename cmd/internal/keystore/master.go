package keystore

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"
)

const keySize = 32

// openMaster reads the master key, making it when neither the file nor anything it would wrap exists.
func openMaster(ctx context.Context, pool *pgxpool.Pool, path string) ([]byte, error) {
	var known []byte
	var wrapped bool
	err := pool.QueryRow(ctx, `
		SELECT (SELECT fingerprint FROM ops.master_key), EXISTS (SELECT FROM ops.subject_key WHERE wrapped IS NOT NULL)`).
		Scan(&known, &wrapped)
	if err != nil {
		return nil, fmt.Errorf("cannot read the keystore: %w", err)
	}
	key, err := readMaster(path)
	if errors.Is(err, fs.ErrNotExist) {
		if known != nil || wrapped {
			return nil, fmt.Errorf("the master key %s is missing, without which personal data in this database cannot be read: restore the file from its backup, or copy it from the machine that has it", path)
		}
		if err := makeMaster(path); err != nil {
			return nil, fmt.Errorf("cannot make the master key: %w", err)
		}
		key, err = readMaster(path)
	}
	if err != nil {
		return nil, err
	}
	if known == nil {
		if known, err = claim(ctx, pool, fingerprint(key)); err != nil {
			return nil, fmt.Errorf("cannot write the keystore: %w", err)
		}
	}
	if !bytes.Equal(known, fingerprint(key)) {
		return nil, fmt.Errorf("the master key %s belongs to another database: restore the right file from its backup, or copy it from the machine that has it", path)
	}
	return key, nil
}

// claim writes the fingerprint of the master key into the database unless there is one, and gives the one that stands.
func claim(ctx context.Context, pool *pgxpool.Pool, print []byte) (standing []byte, err error) {
	if _, err := pool.Exec(ctx, `INSERT INTO ops.master_key (fingerprint) VALUES ($1) ON CONFLICT DO NOTHING`, print); err != nil {
		return nil, err
	}
	err = pool.QueryRow(ctx, `SELECT fingerprint FROM ops.master_key`).Scan(&standing)
	return standing, err
}

// fingerprint names a key without telling it.
func fingerprint(key []byte) []byte {
	sum := sha256.Sum256(append([]byte("atrium master key\x00"), key...))
	return sum[:16]
}

func readMaster(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the master key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the master key can be read by other users: run `chmod 600 %s`", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the master key: %w", err)
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(b)))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("the master key %s is damaged, it should be %d hexadecimal digits: restore it from its backup", path, 2*keySize)
	}
	return key, nil
}

// makeMaster writes a random key, whole and on disk, unless another process made the file first.
func makeMaster(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // a leftover would be of no use to anybody
	defer file.Close()
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	if _, err := file.WriteString(hex.EncodeToString(key) + "\n"); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	// A link, unlike a rename, does not replace what another process made.
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for _, changed := range []string{dir, filepath.Dir(dir)} {
		if err := syncFolder(changed); err != nil {
			return err
		}
	}
	return nil
}

func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
