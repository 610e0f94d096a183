// Package audit is the record of what changed nothing and should be known all the same: who opened a record, took a file
// or an export away, was refused; which mail was sent; which tool an operator ran. What changed something is the fact of
// its own aggregate, and how somebody got in is one of package access.
//
// A person's lines stand in one stream per account and month (StreamID), so that none grows for ever and each belongs to
// the account that it is about. There is no rule to check: what happened was decided where it happened. Package commands
// appends lines by the batch (Journal). No line holds a secret or what a file or mail said.
package audit

import (
	"strconv"

	"github.com/atrium-portal/atrium/domain"
)

// Aggregate describes the stream of a person's month at an account.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "audit",
	Evolve:   func(s State, _ Event) State { return s },
	Events:   []Event{RecordViewed{}, FileDownloaded{}, DataExported{}, AccessRefused{}, MailSent{}, ToolRun{}},
}

// State is nothing: no decision needs these facts.
type State struct{}

// StreamID is the stream of what an actor did at an account (none: at the firm itself) in the month of a date. part
// counts from 0: a stream that is full is followed by another.
func StreamID(firm, account domain.ID, actor string, date domain.Date, part int) domain.ID {
	return domain.DeriveID("audit", firm.String(), account.String(), actor, date.String()[:len("2006-01")], strconv.Itoa(part))
}

// Event is a line of the record.
//
//sumtype:decl
type Event interface {
	domain.Event
	// What says what the line is about, and who may see it.
	What() About
	audit()
}

// About is the record that a line is about, and who of the account may see the line. Whoever did it sees it too, and
// staff see all of their firm's.
type About struct {
	Record Record      `json:"record"`
	Open   bool        `json:"open,omitempty"` // contacts of the account may see the line
	To     []domain.ID `json:"to,omitempty"`   // only these contacts; none: all that may see records of the kind
}

// Record is a thing by its kind and id, with its name where that is known.
type Record struct {
	Type  string          `json:"type"` // the category of its stream, or payment for money received
	ID    domain.ID       `json:"id"`
	Label domain.Personal `json:"label,omitzero"`
}

// What gives what the line is about.
func (a About) What() About { return a }

func (About) audit() {}

// RecordViewed says that somebody opened a record. It is said once for a person, record and hour.
type RecordViewed struct {
	About `json:"about"`
	Part  string `json:"part,omitempty"` // of the record: "statement"; empty: the record itself
}

// FileDownloaded says that somebody took a file away.
type FileDownloaded struct {
	About  `json:"about"`
	File   string `json:"file"`             // what it is: "invoice", "receipt", "statement", "contract"
	SHA256 string `json:"sha256,omitempty"` // of the file, so that years later it can be told from another
}

// DataExported says that somebody took data away as a file for programs.
type DataExported struct {
	About  `json:"about"`
	Data   string `json:"data"`   // what it holds: "history", "statement"
	Format string `json:"format"` // "csv", "json"
}

// AccessRefused says that somebody tried something and was refused.
type AccessRefused struct {
	About `json:"about"`
	Tried string `json:"tried"` // a command by its name, or "look"
	Code  string `json:"code"`  // the rule that refused it
}

// MailSent says that a mail has left for somebody.
type MailSent struct {
	About  `json:"about"`
	Kind   string    `json:"kind"`            // what it was about, in a word or two
	Person domain.ID `json:"person,omitzero"` // who it went to
}

// ToolRun says that an operator ran a tool on the data of the firm.
type ToolRun struct {
	About  `json:"about"`
	Tool   string          `json:"tool"`        // as it is called: "replay rebuild"
	Result string          `json:"result"`      // in a few words
	By     domain.Personal `json:"by,omitzero"` // the operator's name on that machine
}

// EventType is the wire name.
func (RecordViewed) EventType() string { return "RecordViewed" }

// EventType is the wire name.
func (FileDownloaded) EventType() string { return "FileDownloaded" }

// EventType is the wire name.
func (DataExported) EventType() string { return "DataExported" }

// EventType is the wire name.
func (AccessRefused) EventType() string { return "AccessRefused" }

// EventType is the wire name.
func (MailSent) EventType() string { return "MailSent" }

// EventType is the wire name.
func (ToolRun) EventType() string { return "ToolRun" }
