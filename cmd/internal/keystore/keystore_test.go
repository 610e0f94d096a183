package keystore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/cmd/internal/keystore"
	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/domain"
)

// server is the superuser's URL of the cluster of this run: testpg's, or one of our own.
var server string

func TestMain(m *testing.M) {
	server = os.Getenv("ATRIUM_TEST_POSTGRES")
	if server != "" {
		os.Exit(m.Run())
	}
	code, err := withCluster(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func withCluster(run func() int) (int, error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "atrium-keystore-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	cluster, err := postgres.Manage(ctx, postgres.ManageOptions{Dir: dir, Unsafe: true})
	if err != nil {
		return 1, err
	}
	server = cluster.URL()
	code := run()
	return code, cluster.Stop(ctx)
}

var databases atomic.Int32

// database makes a database with schema ops and gives the app role's pool.
func database(tb testing.TB) *pgxpool.Pool {
	tb.Helper()
	name := fmt.Sprintf("keystore_%d_%d", os.Getpid(), databases.Add(1))
	conn, err := pgx.Connect(tb.Context(), server)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(tb.Context())
	if _, err := conn.Exec(tb.Context(), "CREATE DATABASE "+name); err != nil {
		tb.Fatal(err)
	}
	u, err := url.Parse(server)
	if err != nil {
		tb.Fatal(err)
	}
	u.Path = "/" + name
	pools, err := postgres.Connect(tb.Context(), u.String(), postgres.Options{Readers: 1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(pools.Close)
	if err := pools.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return pools.App
}

func open(tb testing.TB, pool *pgxpool.Pool, path string, o keystore.Options) *keystore.Keystore {
	tb.Helper()
	o.Dir = filepath.Dir(path)
	k, err := keystore.Open(tb.Context(), pool, o)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func newPath(tb testing.TB) string { return filepath.Join(tb.TempDir(), "secrets", "master.key") }

func sealing(tb testing.TB, k *keystore.Keystore, firm domain.ID, subject string) []byte {
	tb.Helper()
	key, err := k.SealingKey(firm, subject)
	if err != nil || len(key) != 32 {
		tb.Fatal(key, err)
	}
	return bytes.Clone(key)
}

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

var firm = uuid.MustParse("00000000-0000-7000-8000-000000000001")

func TestKeysSurviveARestart(t *testing.T) {
	pool, path := database(t), newPath(t)
	k := open(t, pool, path, keystore.Options{})
	ann, bob := sealing(t, k, firm, "contact-ann"), sealing(t, k, firm, "contact-bob")
	if bytes.Equal(ann, bob) {
		t.Error("two subjects share a key")
	}

	again := open(t, pool, path, keystore.Options{})
	for _, find := range []func() ([]byte, error){
		func() ([]byte, error) { return k.OpeningKey("contact-ann") },
		func() ([]byte, error) { return k.SealingKey(firm, "contact-ann") },
		func() ([]byte, error) { return again.OpeningKey("contact-ann") },
		func() ([]byte, error) { return again.SealingKey(firm, "contact-ann") },
	} {
		if key, err := find(); err != nil || !bytes.Equal(key, ann) {
			t.Errorf("another key: %v", err)
		}
	}
	_, err := again.OpeningKey("contact-eve")
	wantError(t, err, "has no key", "restore the keystore")
	if errors.Is(err, domain.ErrErased) {
		t.Error("an unknown subject counts as erased")
	}
	_, err = again.SealingKey(uuid.New(), "contact-ann")
	wantError(t, err, "belongs to another firm")
}

// TestKeyIsDurableBeforeItIsUsed: another connection finds it as soon as it is handed out, and only wrapped.
func TestKeyIsDurableBeforeItIsUsed(t *testing.T) {
	pool, path := database(t), newPath(t)
	k := open(t, pool, path, keystore.Options{})
	if b, err := os.ReadFile(path); err != nil || len(b) != 65 {
		t.Fatalf("no master key on disk before the first subject's: %d bytes, %v", len(b), err)
	}
	key := sealing(t, k, firm, "contact-ann")
	var wrapped []byte
	if err := pool.QueryRow(t.Context(), "SELECT wrapped FROM ops.subject_key WHERE subject = 'contact-ann'").Scan(&wrapped); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(wrapped, key) {
		t.Error("the key is stored in the clear")
	}
	if key2, err := open(t, pool, path, keystore.Options{}).OpeningKey("contact-ann"); err != nil || !bytes.Equal(key, key2) {
		t.Error("another process gets another key:", err)
	}
}

func TestRacingProcessesAgreeOnKeys(t *testing.T) {
	pool, path := database(t), newPath(t)
	var mu sync.Mutex
	keys := map[string]bool{}
	var starters sync.WaitGroup
	for range 8 {
		starters.Go(func() {
			k, err := keystore.Open(t.Context(), pool, keystore.Options{Dir: filepath.Dir(path)})
			if err != nil {
				t.Error(err)
				return
			}
			key, err := k.SealingKey(firm, "contact-ann")
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			keys[string(key)] = true
		})
	}
	starters.Wait()
	if len(keys) != 1 {
		t.Errorf("%d keys for one subject", len(keys))
	}
	if left, _ := filepath.Glob(path + "-*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDestroyedKeys(t *testing.T) {
	pool, path := database(t), newPath(t)
	clock := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	now := func() time.Time { return clock }
	k, other := open(t, pool, path, keystore.Options{Now: now}), open(t, pool, path, keystore.Options{Now: now})
	sealing(t, k, firm, "contact-ann")
	sealing(t, other, firm, "contact-ann")

	wantError(t, k.Destroy(t.Context(), uuid.New(), "contact-ann"), "belongs to another firm")
	for range 2 {
		if err := k.Destroy(t.Context(), firm, "contact-ann"); err != nil {
			t.Fatal(err)
		}
		if _, err := k.OpeningKey("contact-ann"); !errors.Is(err, domain.ErrErased) {
			t.Errorf("opening: %v", err)
		}
		if _, err := k.SealingKey(firm, "contact-ann"); !errors.Is(err, domain.ErrErased) {
			t.Errorf("sealing: %v", err)
		}
	}
	clock = clock.Add(5 * time.Minute)
	if _, err := other.OpeningKey("contact-ann"); !errors.Is(err, domain.ErrErased) {
		t.Errorf("another process after its key's life: %v", err)
	}
	var gone bool
	if err := pool.QueryRow(t.Context(), "SELECT wrapped IS NULL FROM ops.subject_key WHERE subject = 'contact-ann'").Scan(&gone); err != nil || !gone {
		t.Error("the wrapped key is still stored", err)
	}

	// As after the restore of an older backup, which does not know the subject yet.
	if err := k.Destroy(t.Context(), firm, "contact-bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, pool, path, keystore.Options{}).SealingKey(firm, "contact-bob"); !errors.Is(err, domain.ErrErased) {
		t.Errorf("a key was made for an erased person: %v", err)
	}
}

func TestDerivedKeys(t *testing.T) {
	pool, path := database(t), newPath(t)
	k := open(t, pool, path, keystore.Options{})
	one, other := k.Derive("one"), k.Derive("other")
	if len(one) != 32 || bytes.Equal(one, other) {
		t.Errorf("one %x, other %x", one, other)
	}
	if again := open(t, pool, path, keystore.Options{}).Derive("one"); !bytes.Equal(one, again) {
		t.Error("another key after a restart")
	}
	if foreign := open(t, database(t), newPath(t), keystore.Options{}).Derive("one"); bytes.Equal(one, foreign) {
		t.Error("the same key under another master key")
	}
}

func TestPrefetch(t *testing.T) {
	pool, path := database(t), newPath(t)
	k := open(t, pool, path, keystore.Options{})
	want := map[string][]byte{}
	var subjects []string
	for i := range 20 {
		s := fmt.Sprintf("contact-%d", i)
		subjects = append(subjects, s)
		want[s] = sealing(t, k, firm, s)
	}
	if err := k.Destroy(t.Context(), firm, "contact-3"); err != nil {
		t.Fatal(err)
	}

	fresh := open(t, pool, path, keystore.Options{})
	if err := fresh.Prefetch(append(subjects, "contact-unknown")); err != nil {
		t.Fatal(err)
	}
	// From here on only memory can answer.
	if _, err := pool.Exec(t.Context(), "UPDATE ops.subject_key SET wrapped = '\\x00' WHERE wrapped IS NOT NULL"); err != nil {
		t.Fatal(err)
	}
	for _, s := range subjects {
		key, err := fresh.OpeningKey(s)
		if s == "contact-3" {
			if !errors.Is(err, domain.ErrErased) {
				t.Errorf("%s: %v", s, err)
			}
		} else if err != nil || !bytes.Equal(key, want[s]) {
			t.Errorf("%s: %v", s, err)
		}
	}
	_, err := open(t, pool, path, keystore.Options{}).OpeningKey("contact-1")
	wantError(t, err, "contact-1 was changed")
}

func TestSmallMemoryHoldsTheSameKeys(t *testing.T) {
	pool, path := database(t), newPath(t)
	k := open(t, pool, path, keystore.Options{Cached: 4})
	want := map[string][]byte{}
	for i := range 20 {
		s := fmt.Sprintf("contact-%d", i)
		want[s] = sealing(t, k, firm, s)
	}
	for range 3 {
		for s, w := range want {
			if key, err := k.OpeningKey(s); err != nil || !bytes.Equal(key, w) {
				t.Errorf("%s: %v", s, err)
			}
		}
	}
}

func TestExchangedRowsDoNotOpen(t *testing.T) {
	pool, path := database(t), newPath(t)
	k := open(t, pool, path, keystore.Options{})
	sealing(t, k, firm, "contact-ann")
	sealing(t, k, firm, "contact-bob")
	_, err := pool.Exec(t.Context(), `UPDATE ops.subject_key SET wrapped = (SELECT wrapped FROM ops.subject_key WHERE subject = 'contact-bob') WHERE subject = 'contact-ann'`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = open(t, pool, path, keystore.Options{}).OpeningKey("contact-ann")
	wantError(t, err, "contact-ann was changed")
}

func TestMasterKeyFile(t *testing.T) {
	pool, path := database(t), newPath(t)
	sealing(t, open(t, pool, path, keystore.Options{}), firm, "contact-ann")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	restore := func(content []byte, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, content, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(words ...string) {
		t.Helper()
		_, err := keystore.Open(t.Context(), pool, keystore.Options{Dir: filepath.Dir(path)})
		wantError(t, err, words...)
	}

	restore(good, 0o644)
	refused("can be read by other users", "chmod 600 "+path)
	restore(good[:20], 0o600)
	refused("is damaged", "restore it from its backup")
	foreign := bytes.Repeat([]byte("ab"), 32)
	restore(foreign, 0o600)
	refused("belongs to another database", "copy it from the machine that has it")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	refused(path+" is missing", "restore the file from its backup")
	if _, err := os.Stat(path); err == nil {
		t.Error("a new master key was made over keys it cannot open")
	}
	restore(good, 0o600)
	if _, err := open(t, pool, path, keystore.Options{}).OpeningKey("contact-ann"); err != nil {
		t.Error("with the file restored:", err)
	}
}

// TestNoKeyWithoutAMasterKeyOnDisk: the database hears of a master key only when the file is there.
func TestNoKeyWithoutAMasterKeyOnDisk(t *testing.T) {
	pool := database(t)
	_, err := keystore.Open(t.Context(), pool, keystore.Options{Dir: "/dev/null/secrets"})
	wantError(t, err, "master key")
	var n int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM ops.master_key").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d fingerprints, %v", n, err)
	}
}

// TestCrashBeforeTheFirstKey: the file was made, the database never heard of it.
func TestCrashBeforeTheFirstKey(t *testing.T) {
	path := newPath(t)
	open(t, database(t), path, keystore.Options{})
	made, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	open(t, database(t), path, keystore.Options{}) // a database that knows nothing yet
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, made) {
		t.Error("the master key was replaced", err)
	}
}

func BenchmarkHit(b *testing.B) {
	k := open(b, database(b), newPath(b), keystore.Options{})
	sealing(b, k, firm, "contact-ann")
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := k.OpeningKey("contact-ann"); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkPrefetch1000(b *testing.B) {
	pool, path := database(b), newPath(b)
	k := open(b, pool, path, keystore.Options{})
	var subjects []string
	for i := range 1000 {
		subjects = append(subjects, fmt.Sprintf("contact-%d", i))
		sealing(b, k, firm, subjects[i])
	}
	for b.Loop() {
		if err := open(b, pool, path, keystore.Options{}).Prefetch(subjects); err != nil {
			b.Fatal(err)
		}
	}
}
