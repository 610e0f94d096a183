package bundle

import (
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections/evidence"
)

// Verdict is what a bundle shows.
type Verdict struct {
	// Consistent says that nothing in the bundle contradicts anything else in it: there are no problems.
	Consistent bool `json:"consistent"`
	// Trusted says that seals and manifest are signed by keys that the verifier was given.
	Trusted bool `json:"trusted"`

	About     string            `json:"about"`
	Issued    time.Time         `json:"issued"`
	Logs      []*LogVerdict     `json:"logs"`
	Streams   []*StreamVerdict  `json:"streams"`
	Events    []EventVerdict    `json:"events"`
	Documents []DocumentVerdict `json:"documents"`
	// Shown are sentences on what was compared with something outside the bundle.
	Shown []string `json:"shown,omitempty"`
	// Problems are why the bundle is not as claimed, at most 1000 of them; More counts the others.
	Problems []Problem `json:"problems"`
	More     int       `json:"more_problems,omitempty"`
	// NotShown are sentences on what this bundle leaves open.
	NotShown []string `json:"not_shown"`

	named map[string][]int // SHA-256 in hex to the places in Events of those that name it
}

// AsClaimed says that the bundle is what it says it is, and who says so.
func (v *Verdict) AsClaimed() bool { return v.Consistent && v.Trusted }

// LogVerdict is what a bundle shows of a log.
type LogVerdict struct {
	Origin    string        `json:"origin"`
	Epoch     int           `json:"epoch"`
	Size      int64         `json:"size"`
	Root      tlog.Hash     `json:"root"`
	SignedBy  []string      `json:"signed_by"` // keys that were given
	Cosigned  []Cosignature `json:"cosigned,omitempty"`
	Unchecked int           `json:"unchecked_signatures,omitempty"` // by other keys

	signed  []byte
	earlier map[int64]tlog.Hash // size to root that the log is proved to go on from
}

// Cosignature is that of a witness whose key was given.
type Cosignature struct {
	By   string    `json:"by"`
	Time time.Time `json:"time"`
}

func (l *LogVerdict) checkpoint() evidence.Checkpoint {
	return evidence.Checkpoint{Origin: l.Origin, Size: l.Size, Root: l.Root}
}

// StreamVerdict is what a bundle shows of a stream.
type StreamVerdict struct {
	Stream   string `json:"stream"`
	Events   int    `json:"events"`
	Head     int64  `json:"head"`     // revision of the last one
	Unbroken bool   `json:"unbroken"` // from revision 0 to the head, each names the one before it

	hashes []tlog.Hash // of the leaves, by revision, while unbroken
}

// Status is what became of an event.
type Status string

// The statuses.
const (
	Included Status = "included" // sealed, and here as it was
	Withheld Status = "withheld" // sealed; its contents are not in this bundle
	Removed  Status = "removed"  // sealed; its contents were removed by an event that says so
	Wrong    Status = "wrong"    // not what was sealed
)

// EventVerdict is what a bundle shows of an event. Where its leaf cannot be read, only the place is known.
type EventVerdict struct {
	Place
	Stream   string    `json:"stream"`
	Revision int64     `json:"revision"`
	Event    domain.ID `json:"event"`
	Type     string    `json:"type"`
	Leaf     tlog.Hash `json:"leaf"`
	Status   Status    `json:"status"`
	// RemovedBy is the event that removed the contents.
	RemovedBy *Place `json:"removed_by,omitempty"`
	// ErasedBy are the events that erased people whose sealed values are in this one.
	ErasedBy []Place `json:"erased_by,omitempty"`
	// Disclosed are the sealed values that are given in plain text and were checked: "data.title".
	Disclosed []string `json:"disclosed,omitempty"`

	subjects    []string // whose values stay sealed
	overwritten bool     // a part is nothing but 0xFF
}

func (e *EventVerdict) String() string {
	if e.Stream == "" {
		return e.Place.String()
	}
	return fmt.Sprintf("%s (revision %d of %s, %s)", e.Place, e.Revision, e.Stream, e.Type)
}

// DocumentVerdict is what a bundle shows of a document in it.
type DocumentVerdict struct {
	Entry   string  `json:"entry"`
	SHA256  string  `json:"sha256"`
	Size    int64   `json:"size"`
	NamedBy []Place `json:"named_by"`
}

// Problem is a reason why a bundle is not as claimed.
type Problem struct {
	Entry    string `json:"entry,omitempty"` // of the archive
	Leaf     *Place `json:"leaf,omitempty"`
	Stream   string `json:"stream,omitempty"`
	Revision int64  `json:"revision,omitempty"`
	What     string `json:"what"` // a sentence
}

const mostProblems = 1000

func (v *Verdict) add(p Problem) {
	v.Consistent = false
	if len(v.Problems) == mostProblems {
		v.More++
		return
	}
	v.Problems = append(v.Problems, p)
}

// wrong adds a problem of an entry of the archive, or of the whole.
func (v *Verdict) wrong(entry, format string, args ...any) {
	v.add(Problem{Entry: entry, What: fmt.Sprintf(format, args...)})
}

// wrongEvent adds a problem of an event.
func (v *Verdict) wrongEvent(e *EventVerdict, format string, args ...any) {
	v.add(Problem{Leaf: &e.Place, Stream: e.Stream, Revision: e.Revision, What: e.String() + ": " + fmt.Sprintf(format, args...)})
}

// Naming lists the events of the bundle that name a file by its SHA-256 in hex.
func (v *Verdict) Naming(sum string) []EventVerdict {
	var events []EventVerdict
	for _, i := range v.named[sum] {
		events = append(events, v.Events[i])
	}
	return events
}
