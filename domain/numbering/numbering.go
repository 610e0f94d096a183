// Package numbering hands out the numbers of invoices and other documents, one after the other without a gap. A number
// is reserved for one document's id before the document takes it, so a crash in between wastes none: whoever asks again
// for that document gets the same number.
package numbering

import (
	"slices"
	"strconv"
	"strings"

	"github.com/atrium-portal/atrium/domain"
)

// SegmentSize is how many numbers one stream hands out. The numbers of a firm and kind go through streams of this
// length, one after the other, so that no stream grows for ever.
const SegmentSize = 1000

// Aggregate describes the numbering stream; the stream's id is StreamID.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "numbering",
	Evolve:   evolve,
	Events:   []Event{Reserved{}},
}

// The kinds of document that are numbered, each with its own row of numbers.
const (
	Invoice    = "invoice"
	CreditNote = "credit_note"
	Contract   = "contract"
	Receipt    = "receipt"
)

// Kinds lists the kinds.
func Kinds() []string { return []string{Invoice, CreditNote, Contract, Receipt} }

// StreamID is the id of the n-th stream (from 0) of a firm's numbers of one kind.
func StreamID(firm domain.ID, kind string, segment int) domain.ID {
	return domain.DeriveID("numbering", firm.String(), kind, strconv.Itoa(segment))
}

// Event is a fact about numbers.
//
//sumtype:decl
type Event interface {
	domain.Event
	numbering()
}

// Reserved gives a number to a document for ever.
type Reserved struct {
	Kind     string    `json:"kind"`
	Document domain.ID `json:"document"`
	Number   int64     `json:"number"`
}

func (Reserved) numbering() {}

// EventType is the wire name.
func (Reserved) EventType() string { return "NumberReserved" }

// Sentence for history.
func (e Reserved) Sentence() string {
	return "reserved " + strings.ReplaceAll(e.Kind, "_", " ") + " number " + strconv.FormatInt(e.Number, 10)
}

// State is what was handed out in one segment. Numbers have no gap, so the order of the documents tells theirs; a short
// list is also quicker to copy at each event than a map.
type State struct {
	Next      int64       // the number after the last one; 0 when none was handed out
	Documents []domain.ID // in the order of their numbers
}

// Number is the number of a document, if it has one in this segment.
func (s State) Number(document domain.ID) (number int64, ok bool) {
	i := slices.Index(s.Documents, document)
	if i < 0 {
		return 0, false
	}
	return s.Next - int64(len(s.Documents)-i), true
}

// Full reports whether the segment has no number left; Next is then the first number of the next segment.
func (s State) Full() bool { return len(s.Documents) >= SegmentSize }

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Reserved:
		s = State{Next: e.Number + 1, Documents: slices.Concat(s.Documents, []domain.ID{e.Document})}
	}
	return s
}

// Reserve takes the next number for a document. The loop gives it before the document's own event.
type Reserve struct {
	Numbering domain.ID `json:"numbering"` // StreamID of the firm, Kind and Segment
	Kind      string    `json:"kind"`
	Segment   int       `json:"segment"`
	First     int64     `json:"first"` // the first number of the segment, used when none was handed out
	Document  domain.ID `json:"document"`
}

// Target is the numbering stream.
func (c Reserve) Target() domain.ID { return c.Numbering }

// Decide reserves the next number, once for each document.
func (c Reserve) Decide(s State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.That(slices.Contains(Kinds(), c.Kind), "kind", "kind-unknown", "Give one of "+strings.Join(Kinds(), ", ")+".")
	v.That(c.Segment >= 0, "segment", "segment-negative", "Count segments from 0.")
	v.That(c.Numbering == StreamID(m.Firm, c.Kind, c.Segment), "numbering", "numbering-other", "Name the stream of this firm, kind and segment.")
	v.That(c.First >= 1, "first", "first-too-small", "Give a first number of at least 1.")
	v.That(c.Document != domain.NoID, "document", "document-required", "Say which document takes the number.")
	if err := v.Err(); err != nil {
		return nil, err
	}
	if _, reserved := s.Number(c.Document); reserved {
		return nil, nil
	}
	if s.Full() {
		return nil, domain.Refuse("numbering-segment-full", "This segment has no number left. Reserve in the next one.")
	}
	number := s.Next
	if number == 0 {
		number = c.First
	}
	return []Event{Reserved{Kind: c.Kind, Document: c.Document, Number: number}}, nil
}
