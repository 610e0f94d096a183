package blob_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/blob"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
)

var (
	ctx          = context.Background()
	north, south = domaintest.ID("north"), domaintest.ID("south")
	logo         = domain.File{ID: domaintest.ID("file"), SHA256: "5ha", Size: 5, Type: "image/png"}
)

func newStore(t *testing.T) (*blob.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "files")
	s, err := blob.Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, dir
}

func add(t *testing.T, s *blob.Store, firm domain.ID, f domain.File) {
	t.Helper()
	if err := s.Add(ctx, firm, f, domain.LogoFile, []byte("hello")); err != nil {
		t.Fatal(err)
	}
}

func TestKeptFilesCanBeRead(t *testing.T) {
	s, dir := newStore(t)
	add(t, s, north, logo)
	if _, _, found, err := s.Read(ctx, domain.LogoFile, logo.ID); found || err != nil {
		t.Fatalf("an upload that nobody uses can be read: %v, %v", found, err)
	}
	for range 2 {
		if kept, found, err := s.Keep(ctx, north, logo.ID, domain.LogoFile); kept != logo || !found || err != nil {
			t.Fatalf("kept %+v, %v, %v", kept, found, err)
		}
	}
	f, content, found, err := s.Read(ctx, domain.LogoFile, logo.ID)
	if f != logo || string(content) != "hello" || !found || err != nil {
		t.Fatalf("read %+v %q, %v, %v", f, content, found, err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is open to others: %v, %v", info.Mode(), err)
	}
}

func TestOnlyOwnUploadsForTheirPurposeAreKept(t *testing.T) {
	s, _ := newStore(t)
	add(t, s, north, logo)
	for name, keep := range map[string]func() (domain.File, bool, error){
		"of another firm":     func() (domain.File, bool, error) { return s.Keep(ctx, south, logo.ID, domain.LogoFile) },
		"for something else":  func() (domain.File, bool, error) { return s.Keep(ctx, north, logo.ID, "document") },
		"that does not exist": func() (domain.File, bool, error) { return s.Keep(ctx, north, domaintest.ID("none"), domain.LogoFile) },
	} {
		if _, found, err := keep(); found || err != nil {
			t.Errorf("one %s: %v, %v", name, found, err)
		}
	}
}

func TestSweepRemovesWhatNobodyUsed(t *testing.T) {
	s, dir := newStore(t)
	used, fresh := logo, logo
	used.ID, fresh.ID = domaintest.ID("used"), domaintest.ID("fresh")
	for _, f := range []domain.File{logo, used} {
		add(t, s, north, f)
	}
	if _, _, err := s.Keep(ctx, north, used.ID, domain.LogoFile); err != nil {
		t.Fatal(err)
	}
	yesterday := time.Now().Add(-25 * time.Hour)
	for _, f := range []domain.File{logo, used} {
		if err := os.Chtimes(filepath.Join(dir, "new", north.String(), f.ID.String()), yesterday, yesterday); err != nil {
			t.Fatal(err)
		}
	}
	add(t, s, north, fresh)
	if n, err := s.Sweep(ctx, time.Now().Add(-24*time.Hour)); n != 2 || err != nil {
		t.Fatalf("removed %d, %v", n, err)
	}
	if n, err := s.Waiting(ctx, north, 10); n != 1 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
	if _, _, found, err := s.Read(ctx, domain.LogoFile, used.ID); !found || err != nil {
		t.Errorf("what was used is gone: %v", err)
	}
	if _, found, _ := s.Keep(ctx, north, logo.ID, domain.LogoFile); found {
		t.Error("what was swept can be used")
	}
}

func TestWaitingIsCountedByFirm(t *testing.T) {
	s, _ := newStore(t)
	for _, name := range []string{"a", "b", "c"} {
		f := logo
		f.ID = domaintest.ID(name)
		add(t, s, north, f)
	}
	if n, err := s.Waiting(ctx, north, 2); n != 2 || err != nil {
		t.Errorf("counting went on: %d, %v", n, err)
	}
	if n, err := s.Waiting(ctx, south, 2); n != 0 || err != nil {
		t.Errorf("the other firm has %d, %v", n, err)
	}
}

// TestFilesThatWereCutAreNotGiven changes a file behind the store's back.
func TestFilesThatWereCutAreNotGiven(t *testing.T) {
	s, dir := newStore(t)
	add(t, s, north, logo)
	if _, _, err := s.Keep(ctx, north, logo.ID, domain.LogoFile); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kept", "logo", logo.ID.String()), bytes.Repeat([]byte("x"), 4), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, found, err := s.Read(ctx, domain.LogoFile, logo.ID); found || err == nil || !strings.Contains(err.Error(), "4 bytes") {
		t.Errorf("a cut file: %v, %v", found, err)
	}
}

func TestPlacesAreNamedByURL(t *testing.T) {
	s, err := blob.Open(ctx, "s3://firm-files?region=eu-central-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.Open(ctx, "ftp://somewhere"); err == nil || !strings.Contains(err.Error(), "--files") {
		t.Errorf("an unknown kind of place: %v", err)
	}
}

// A folder may be named by a URL, written in any way.
func TestFolderByURL(t *testing.T) {
	dir := t.TempDir() + "/a//files/"
	s, err := blob.Open(ctx, "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	add(t, s, north, logo)
	if _, found, err := s.Keep(ctx, north, logo.ID, domain.LogoFile); !found || err != nil {
		t.Fatalf("an upload into a folder that a URL names: %v, %v", found, err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "kept", string(domain.LogoFile), logo.ID.String()))
	if err != nil || string(content) != "hello" {
		t.Errorf("the folder holds %q, %v", content, err)
	}
}
