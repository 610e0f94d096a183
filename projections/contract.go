package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contract"
)

// contractRow is a contract without its text. Its recipients are its signers, in the order in which they sign.
type contractRow struct {
	owned
	Project     domain.ID       `db:"project,null" history:"-"`
	Recipients  []domain.ID     `db:"recipients" history:"-"`
	Title       string          `db:"title" history:"label"`
	Status      contract.Status `db:"status"`               // draft, sent, complete, declined or void
	Released    bool            `db:"released" history:"-"` // was sent, whatever came after
	SHA256      string          `db:"sha256" history:"-"`   // of the text, from sending on
	SignerCount int             `db:"signer_count" history:"-"`
	SignedCount int             `db:"signed_count"`
	NextSigner  domain.ID       `db:"next_signer,null"` // whose turn it is; none unless sent
	DraftedAt   time.Time       `db:"drafted_at" history:"-"`
	SentAt      time.Time       `db:"sent_at,null" history:"-"`
	CompletedAt time.Time       `db:"completed_at,null" history:"-"`
	EndedAt     time.Time       `db:"ended_at,null" history:"-"` // declined or voided
}

// Audience shows a contract's history to its signers once it is sent.
func (r contractRow) Audience() (visible bool, recipients []domain.ID) {
	return r.Released, r.Recipients
}

// contractBodyRow is the text. Whoever sees the contract sees it.
type contractBodyRow struct {
	ID      domain.ID `db:"id,key"` // of the contract
	Firm    domain.ID `db:"firm"`
	Account domain.ID `db:"account"`
	Body    string    `db:"body"`
}

// contractSignerRow is a signer and how far they have come. Whoever sees the contract sees all of them.
type contractSignerRow struct {
	Contract   domain.ID `db:"contract,key"`
	Contact    domain.ID `db:"contact,key"`
	Firm       domain.ID `db:"firm"`
	Account    domain.ID `db:"account"`
	Place      int       `db:"place"` // from 1
	ViewedAt   time.Time `db:"viewed_at,null"`
	SignedAt   time.Time `db:"signed_at,null"`
	Name       string    `db:"name"`      // as the signer wrote it
	Statement  string    `db:"statement"` // what the signer agreed to
	SHA256     string    `db:"sha256"`    // of the text that was signed
	DeclinedAt time.Time `db:"declined_at,null"`
}

// contractNotesRow is why a contract came to nothing.
type contractNotesRow struct {
	ID            domain.ID `db:"id,key"` // of the contract
	Firm          domain.ID `db:"firm"`
	Account       domain.ID `db:"account"`
	DeclinedBy    domain.ID `db:"declined_by,null"`
	DeclineReason string    `db:"decline_reason"` // the signer's, to the firm
	VoidReason    string    `db:"void_reason"`
}
