package upload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// Files is where files are. cmd/internal/blob is one.
type Files interface {
	// Add takes an upload of a firm. It is removed when no command uses it in time.
	Add(ctx context.Context, firm domain.ID, f domain.File, purpose domain.FilePurpose, content []byte) error
	// Waiting is how many uploads of a firm wait for a command; counting ends at most.
	Waiting(ctx context.Context, firm domain.ID, most int) (int, error)
	// Read gives a file that is kept for a purpose.
	Read(ctx context.Context, purpose domain.FilePurpose, file domain.ID) (f domain.File, content []byte, found bool, err error)
}

// Desk takes uploads.
type Desk struct {
	Files Files
	// Patience is how long a file may take to arrive; zero means a minute.
	Patience time.Duration
}

// rule says what may be sent for a purpose.
type rule struct {
	limit int64  // bytes
	role  string // of the staff who may send it
	check func(name string, content []byte) (clean []byte, mediaType string, err error)
}

var rules = map[domain.FilePurpose]rule{
	domain.LogoFile: {limit: 1 << 20, role: "administrator", check: picture},
}

// Purposes lists what can be uploaded.
func Purposes() []domain.FilePurpose { return []domain.FilePurpose{domain.LogoFile} }

const (
	// Around the file of a form stand its other fields, each of them short.
	maxFields   = 16
	maxField    = 4 << 10
	maxEnvelope = maxFields * maxField
	// maxWaiting is how many uploads of a firm may wait for a command.
	maxWaiting = 20
)

// Sent is a form with a file, as it arrived.
type Sent struct {
	Fields  url.Values
	Name    string // of the file, without folders
	Content []byte
	File    bool // there was one
}

var (
	errTooLarge = func(limit int64) error {
		return &domain.Fault{Kind: domain.TooLarge, Code: "file-too-large", Field: fileField, Message: fmt.Sprintf("The file is too large. It may have at most %d KB.", limit>>10)}
	}
	errUnreadable = &domain.Fault{Kind: domain.Malformed, Code: "upload-unreadable", Message: "The file did not arrive whole. Send it again."}
	errNoForm     = &domain.Fault{Kind: domain.Malformed, Code: "content-type", Message: "Send the file as multipart/form-data, in a field named file."}
	errManyParts  = &domain.Fault{Kind: domain.Malformed, Code: "upload-parts", Message: "Send one file, with no other fields than those asked for."}
)

// fileField is the field that holds the file.
const fileField = "file"

// Allow reports whether whoever a scope is of may send a file for a purpose; the error says why not.
func (*Desk) Allow(scope *auth.Scope, purpose domain.FilePurpose) error {
	rule, known := rules[purpose]
	switch {
	case !scope.Staff() || scope.Preview != nil || known && scope.Role != rule.role:
		return &domain.Fault{Kind: domain.Forbidden, Code: "not-permitted", Message: "You may not upload this. Ask an administrator of your firm."}
	case !known:
		return &domain.Fault{Kind: domain.Malformed, Code: "purpose-unknown", Field: "purpose", Message: "Say what the file is for: purpose may be logo."}
	}
	return nil
}

// Receive reads a form with at most one file, of a known purpose. No more is read than such a file may have, and for no
// longer than the desk has patience.
func (d *Desk) Receive(w http.ResponseWriter, r *http.Request, purpose domain.FilePurpose) (*Sent, error) {
	patience := d.Patience
	if patience == 0 {
		patience = time.Minute
	}
	control := http.NewResponseController(w)
	// Not every writer has a deadline (those of tests, HTTP/2 behind some proxies); the size is bounded in any case.
	if control.SetReadDeadline(time.Now().Add(patience)) == nil { //nolint:forbidigo // a deadline is the network's, not a fact
		defer control.SetReadDeadline(time.Time{}) //nolint:errcheck // it could be set a moment ago
	}
	limit := rules[purpose].limit
	r.Body = http.MaxBytesReader(w, r.Body, limit+maxEnvelope)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, errNoForm
	}
	sent := &Sent{Fields: url.Values{}}
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return sent, nil
		case err != nil:
			return nil, unreadable(err, limit)
		case n == maxFields:
			return nil, errManyParts
		}
		if err := sent.take(part, limit); err != nil {
			return nil, err
		}
	}
}

// take reads one part of a form.
func (s *Sent) take(part *multipart.Part, limit int64) error {
	isFile := part.FormName() == fileField
	most := int64(maxField)
	if isFile {
		most = limit
	}
	content, err := io.ReadAll(io.LimitReader(part, most+1))
	switch {
	case err != nil:
		return unreadable(err, limit)
	case !isFile && int64(len(content)) > most, isFile && s.File, isFile && part.FileName() == "" && len(content) > 0:
		return errManyParts
	case int64(len(content)) > most:
		return errTooLarge(limit)
	case !isFile:
		s.Fields.Add(part.FormName(), string(content))
	case part.FileName() != "": // a field for a file that was left empty has no name
		s.File, s.Name, s.Content = true, path.Base(strings.ReplaceAll(part.FileName(), `\`, "/")), content
	}
	return nil
}

func unreadable(err error, limit int64) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return errTooLarge(limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &domain.Fault{Kind: domain.Malformed, Code: "upload-too-slow", Message: "The file took too long to arrive. Send it again over a faster connection, or send a smaller one."}
	}
	return errUnreadable
}

// Take checks a file that was received for a purpose from whoever a scope is of, and has it wait for a command that uses it.
func (d *Desk) Take(ctx context.Context, scope *auth.Scope, purpose domain.FilePurpose, sent *Sent) (domain.File, error) {
	if err := d.Allow(scope, purpose); err != nil {
		return domain.File{}, err
	}
	if !sent.File || len(sent.Content) == 0 {
		return domain.File{}, wrongFile("file-required", "Choose a file.")
	}
	clean, mediaType, err := rules[purpose].check(sent.Name, sent.Content)
	if err != nil {
		return domain.File{}, err
	}
	waiting, err := d.Files.Waiting(ctx, scope.Firm, maxWaiting)
	if err == nil && waiting >= maxWaiting {
		err = &domain.Fault{Kind: domain.Throttled, Code: "uploads-waiting", Message: "Too many uploads were made and not used. They are removed after a day; please try again then."}
	}
	if err != nil {
		return domain.File{}, err
	}
	sum := sha256.Sum256(clean)
	f := domain.File{ID: domain.NewID(), SHA256: hex.EncodeToString(sum[:]), Size: int64(len(clean)), Type: mediaType}
	return f, d.Files.Add(ctx, scope.Firm, f, purpose, clean)
}
