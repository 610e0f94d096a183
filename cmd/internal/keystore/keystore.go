package keystore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain"
)

// Keystore is the keyring of all data subjects of an installation. It is safe for concurrent use.
type Keystore struct {
	pool   *pgxpool.Pool
	secret []byte      // the master key
	wrap   cipher.AEAD // under it
	cache  *cache
}

var _ domain.Keyring = (*Keystore)(nil)

// Options for Open; beyond Dir, the zero value is good.
type Options struct {
	// Dir is the folder of the master key, by convention secrets in the data folder; it is made when missing.
	Dir string
	// Cached is how many keys are held in memory, 100 bytes each; 0 means 100,000.
	Cached int
	// Life is how long a key is held before it is read again, and so how long another process may still use one
	// that was destroyed here; 0 means 5 minutes.
	Life time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// patience bounds one read or write: the port carries no context.
const patience = 10 * time.Second

// Open opens the keystore in schema ops (pool is the app role's) under the master key in the file master.key in
// o.Dir. The file is made, with mode 0600, when the database holds no keys yet. A missing, foreign or
// readable-by-others file is an error of one sentence with the cure.
func Open(ctx context.Context, pool *pgxpool.Pool, o Options) (*Keystore, error) {
	if o.Cached == 0 {
		o.Cached = 100_000
	}
	if o.Life == 0 {
		o.Life = 5 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	secret, err := openMaster(ctx, pool, filepath.Join(o.Dir, "master.key"))
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	wrap, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Keystore{pool, secret, wrap, newCache(max(o.Cached/2, 1), o.Life, o.Now)}, nil
}

// Derive gives a key of 32 bytes for another purpose: HMAC-SHA256 under the master key. The same purpose gives the
// same key, which tells nothing about any other.
func (k *Keystore) Derive(purpose string) []byte {
	mac := hmac.New(sha256.New, k.secret)
	mac.Write([]byte("atrium derives " + purpose))
	return mac.Sum(nil)
}

// SealingKey gives the key of a subject of the firm, making it when there is none; it is durable before it is
// returned. A destroyed key is domain.ErrErased. Callers must not change the bytes.
func (k *Keystore) SealingKey(firm domain.ID, subject string) ([]byte, error) {
	e, err := k.find(subject)
	if errors.Is(err, errUnknown) {
		e, err = k.make(firm, subject)
	}
	if err != nil {
		return nil, err
	}
	if e.firm != firm {
		return nil, errForeign
	}
	return e.open()
}

// OpeningKey gives the key of a subject; domain.ErrErased when it was destroyed. Callers must not change the bytes.
func (k *Keystore) OpeningKey(subject string) ([]byte, error) {
	e, err := k.find(subject)
	if err != nil {
		return nil, err
	}
	return e.open()
}

var (
	errUnknown = errors.New("this data subject has no key: restore the keystore from a backup that is as new as the events")
	errForeign = errors.New("this data subject belongs to another firm")
)

func (e *entry) open() ([]byte, error) {
	if e.erased {
		return nil, domain.ErrErased
	}
	return e.key[:], nil
}

// Prefetch reads the keys of many subjects in one round trip, before a batch of events is opened one by one.
// Unknown subjects are left out.
func (k *Keystore) Prefetch(subjects []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	missing := make([]string, 0, len(subjects))
	for _, s := range subjects {
		if k.cache.get(s) == nil {
			missing = append(missing, s)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	rows, err := k.pool.Query(ctx, `SELECT subject, firm, wrapped FROM ops.subject_key WHERE subject = ANY($1)`, missing)
	if err != nil {
		return err
	}
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (*entry, error) {
		var subject string
		var firm domain.ID
		var wrapped []byte
		if err := row.Scan(&subject, &firm, &wrapped); err != nil {
			return nil, err
		}
		return k.hold(subject, firm, wrapped)
	})
	return err
}

// Destroy erases a person: the key of the subject is gone for good, here and, after Options.Life, in every process.
// A subject that never had a key gets none from now on. Destroying again changes nothing.
func (k *Keystore) Destroy(ctx context.Context, firm domain.ID, subject string) error {
	tag, err := k.pool.Exec(ctx, `
		INSERT INTO ops.subject_key (subject, firm, destroyed_at) VALUES ($1, $2, now())
		ON CONFLICT (subject) DO UPDATE SET wrapped = NULL, destroyed_at = coalesce(subject_key.destroyed_at, now())
		WHERE subject_key.firm = excluded.firm`, subject, firm)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return errForeign
	}
	k.cache.put(subject, &entry{firm: firm, erased: true})
	return nil
}

// find gives a subject's entry from memory or from the database.
func (k *Keystore) find(subject string) (*entry, error) {
	if e := k.cache.get(subject); e != nil {
		return e, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var firm domain.ID
	var wrapped []byte
	err := k.pool.QueryRow(ctx, `SELECT firm, wrapped FROM ops.subject_key WHERE subject = $1`, subject).Scan(&firm, &wrapped)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errUnknown
	}
	if err != nil {
		return nil, err
	}
	return k.hold(subject, firm, wrapped)
}

// make stores a fresh key. When another process was first, its key stands.
func (k *Keystore) make(firm domain.ID, subject string) (*entry, error) {
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	wrapped := k.wrap.Seal(nil, nil, key, place(firm, subject))
	_, err := k.pool.Exec(ctx, `
		INSERT INTO ops.subject_key (subject, firm, wrapped) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, subject, firm, wrapped)
	if err != nil {
		return nil, err
	}
	return k.find(subject) // what is stored counts
}

// hold unwraps a stored key and keeps it in memory.
func (k *Keystore) hold(subject string, firm domain.ID, wrapped []byte) (*entry, error) {
	e := &entry{firm: firm, erased: wrapped == nil}
	if !e.erased {
		key, err := k.wrap.Open(nil, nil, wrapped, place(firm, subject))
		if err != nil || len(key) != keySize {
			return nil, fmt.Errorf("the stored key of data subject %s was changed: restore the keystore from a backup", subject)
		}
		copy(e.key[:], key)
	}
	return k.cache.put(subject, e), nil
}

// place binds a wrapped key to its row, so that rows cannot be exchanged.
func place(firm domain.ID, subject string) []byte {
	return append(firm[:], subject...)
}
