package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // s3://
	"gocloud.dev/gcerrors"

	"github.com/atrium-portal/atrium/domain"
)

// Store keeps files. It is safe for concurrent use.
type Store struct {
	bucket *blob.Bucket
	dir    string // of a store that is a folder; empty for a bucket
}

// Folder keeps files in a folder, which is made when it is not there.
func Folder(dir string) (*Store, error) {
	// Without a temporary folder of the system, which may be on another disk.
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{CreateDir: true, DirFileMode: 0o700, NoTempDir: true})
	if err != nil {
		return nil, fmt.Errorf("the folder for files %s cannot be opened (%w): make room for it, or name another place with --files", dir, err)
	}
	return &Store{bucket, filepath.Clean(dir)}, nil
}

// Open keeps files where a URL says, such as s3://bucket?region=eu-central-1 or file:///srv/atrium/files. Credentials come
// from the environment, as with all programs that use S3.
func Open(ctx context.Context, url string) (*Store, error) {
	if dir, isFolder := strings.CutPrefix(url, "file://"); isFolder {
		return Folder(dir)
	}
	bucket, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("the place for files cannot be opened (%w): name one such as s3://bucket?region=eu-central-1 with --files", err)
	}
	return &Store{bucket: bucket}, nil
}

// Close closes the store.
func (s *Store) Close() error { return s.bucket.Close() }

const (
	newFiles  = "new/"
	keptFiles = "kept/"
)

func newKey(firm, file domain.ID) string { return newFiles + firm.String() + "/" + file.String() }

func keptKey(p domain.FilePurpose, file domain.ID) string {
	return keptFiles + string(p) + "/" + file.String()
}

// Names of what lies beside a file. S3 gives them back in small letters.
const (
	purposeFact = "purpose"
	sha256Fact  = "sha256"
	sizeFact    = "size"
)

// Add takes an upload of a firm. Once it returns, the file outlives a loss of power.
func (s *Store) Add(ctx context.Context, firm domain.ID, f domain.File, p domain.FilePurpose, content []byte) error {
	key := newKey(firm, f.ID)
	err := s.bucket.Upload(ctx, key, bytes.NewReader(content), &blob.WriterOptions{
		ContentType: f.Type, DisableContentTypeDetection: true,
		Metadata: map[string]string{purposeFact: string(p), sha256Fact: f.SHA256, sizeFact: strconv.FormatInt(f.Size, 10)},
	})
	if err != nil {
		return err
	}
	return s.settle(key)
}

// Waiting is how many uploads of a firm wait for a command that uses them; counting ends at most.
func (s *Store) Waiting(ctx context.Context, firm domain.ID, most int) (n int, err error) {
	list := s.bucket.List(&blob.ListOptions{Prefix: newFiles + firm.String() + "/"})
	for ; n < most; n++ {
		if _, err := list.Next(ctx); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Keep keeps an upload of a firm for good. See commands.Files.
func (s *Store) Keep(ctx context.Context, firm, file domain.ID, p domain.FilePurpose) (domain.File, bool, error) {
	from := newKey(firm, file)
	f, purpose, found, err := s.facts(ctx, from, file)
	if err != nil || !found || purpose != p {
		return domain.File{}, false, err
	}
	if err := s.bucket.Copy(ctx, keptKey(p, file), from, nil); err != nil {
		return domain.File{}, false, err
	}
	if err := s.settle(keptKey(p, file)); err != nil {
		return domain.File{}, false, err
	}
	return f, true, nil
}

// Read gives a file that is kept for a purpose.
func (s *Store) Read(ctx context.Context, p domain.FilePurpose, file domain.ID) (f domain.File, content []byte, found bool, err error) {
	if f, _, found, err = s.facts(ctx, keptKey(p, file), file); err != nil || !found {
		return f, nil, false, err
	}
	content, err = s.bucket.ReadAll(ctx, keptKey(p, file))
	return f, content, err == nil, err
}

// facts are what lies beside a file.
func (s *Store) facts(ctx context.Context, key string, file domain.ID) (domain.File, domain.FilePurpose, bool, error) {
	a, err := s.bucket.Attributes(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return domain.File{}, "", false, nil
	}
	if err != nil {
		return domain.File{}, "", false, err
	}
	size, err := strconv.ParseInt(a.Metadata[sizeFact], 10, 64)
	if err != nil || size != a.Size {
		return domain.File{}, "", false, fmt.Errorf("the file %s has %d bytes, not the %q that were stored", key, a.Size, a.Metadata[sizeFact])
	}
	return domain.File{ID: file, SHA256: a.Metadata[sha256Fact], Size: size, Type: a.ContentType}, domain.FilePurpose(a.Metadata[purposeFact]), true, nil
}

// Sweep removes uploads that came before an instant and tells how many there were. What a command uses is kept
// elsewhere by then.
func (s *Store) Sweep(ctx context.Context, before time.Time) (removed int, err error) {
	list := s.bucket.List(&blob.ListOptions{Prefix: newFiles})
	for {
		one, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return removed, nil
		}
		if err != nil {
			return removed, err
		}
		if !one.ModTime.Before(before) {
			continue
		}
		if err := s.bucket.Delete(ctx, one.Key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return removed, err
		}
		removed++
	}
}
