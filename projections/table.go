package projections

import (
	"github.com/atrium-portal/atrium/domain"
)

// Table is a declared table, as made by Define. New checks it.
type Table struct {
	name       string
	categories []string
	primary    bool
	version    int
	access     Access
	where      string
	indexes    []string
	extra      []string
	keys       func(domain.Fact) []Key
	fold       folder
	hidden     []string // columns that clients are not granted
	appendOnly bool     // rows are only added: no load, no upsert
	sum        *summing // nil: rows come from events, not from the rows of another table
}

// Spec declares a table: its rows are R, a struct whose fields with a db tag are the columns (see the package
// documentation for types and tags).
type Spec[R any] struct {
	// Name of the table.
	Name string
	// Categories are the streams whose events it folds.
	Categories []string
	// Primary marks the table whose row is the record of its one category itself, keyed by the stream's id: history
	// takes label, changes and audience from it, and a column named revision is kept by the engine.
	Primary bool
	// Version is raised when the fold changes what it gives for the same events.
	Version int
	// Access says who may read; ClientsWhere is a further SQL condition on what clients see (see Unreleased,
	// Permitted). Staff see all rows of their firm.
	Access       Access
	ClientsWhere string
	// Hidden are columns that clients are not granted.
	Hidden []string
	// Indexes are what follows "create index on table": "(account, due)", "using gin (search)". A leading "unique "
	// makes the index unique; a unique index holds the owner.
	Indexes []string
	// Extra are further lines of the table's definition: generated columns, checks.
	Extra []string
	// Keys gives the keys of the rows an event may touch, in the order of the key columns. nil: the stream's id.
	Keys func(f domain.Fact) []Key
	// Fold gives the row after an event. nil in: there is no row yet; nil out: there is none any more. It is pure.
	Fold func(row *R, f domain.Fact) *R
	// FoldAt is for tables of which one event touches several rows: it is told which. A table has Fold or FoldAt.
	FoldAt func(row *R, f domain.Fact, key Key) *R
}

// Define makes a table of its declaration.
func Define[R any](s Spec[R]) Table {
	t := Table{
		name: s.Name, categories: s.Categories, primary: s.Primary, version: s.Version, access: s.Access,
		where: s.ClientsWhere, hidden: s.Hidden, indexes: s.Indexes, extra: s.Extra, keys: s.Keys,
	}
	t.fold = rowsOf[R]{fold: s.Fold, foldAt: s.FoldAt}
	return t
}

// Name of the table.
func (t Table) Name() string { return t.name }

// Key is the primary key of a row: up to four ids, strings or int64s.
type Key [4]any

// K makes a key of its parts, in the order of the key columns.
func K(parts ...any) Key {
	var k Key
	copy(k[:], parts)
	return k
}

// Access says who may read the rows of a table. Every table has a column firm; staff read the rows of their firm.
type Access int

const (
	// StaffOnly tables are not granted to clients at all: cost, margin, internal notes.
	StaffOnly Access = iota
	// OfAccount tables have a column account; clients read the rows of their accounts.
	OfAccount
	// OfRecipients tables have also a column recipients uuid[]; clients read the rows that name them and the rows that
	// name nobody.
	OfRecipients
	// OfAccounts tables have a column accounts uuid[]; clients read the rows that name one of their accounts.
	OfAccounts
	// OfFirm tables are open to every client of the firm: its public name, who works there.
	OfFirm
)

// Unreleased is the condition that the reader sees what is not released yet, for Spec.ClientsWhere:
// "released or " + Unreleased.
const Unreleased = "(select current_setting('app.unreleased', true) = 'on')"

// Permitted is the condition that the reader holds a permission, for Spec.ClientsWhere.
func Permitted(permission string) string {
	return "(select " + quote(permission) + " = any(nullif(current_setting('app.permissions', true), '')::text[]))"
}

// Audience is implemented by rows of primary tables whose visibility differs from row to row: whether clients of the
// account see the record and its history now, and who (empty: everybody). Without it clients see the history of
// records of tables that they may read, unless ClientsWhere is set.
type Audience interface {
	Audience() (visible bool, recipients []domain.ID)
}

// Permitting is implemented by rows of primary tables whose history clients read only with a permission.
type Permitting interface {
	Permission() string
}

// Pointing is implemented by rows of primary tables whose events are about other records: their history is of those.
type Pointing interface {
	About() (category string, id domain.ID, label string)
}
