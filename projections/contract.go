package projections

import (
	"slices"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
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
	Parties     parties         `db:"parties" history:"-"`  // as they were when it was sent
	SignerCount int             `db:"signer_count" history:"-"`
	SignedCount int             `db:"signed_count"`
	NextSigner  domain.ID       `db:"next_signer,null" history:"-"` // whose turn it is; none unless sent
	DraftedAt   time.Time       `db:"drafted_at" history:"-"`
	SentAt      time.Time       `db:"sent_at,null" history:"-"`
	CompletedAt time.Time       `db:"completed_at,null" history:"-"`
	CompletedIn int64           `db:"completed_in" history:"-"`  // the revision that completed it
	EndedAt     time.Time       `db:"ended_at,null" history:"-"` // declined or voided
}

// parties are the firm and the client as the API shows them.
type parties struct {
	Firm          string `json:"firm"`
	FirmAddress   string `json:"firm_address,omitempty"`
	Client        string `json:"client"`
	ClientAddress string `json:"client_address,omitempty"`
	TimeZone      string `json:"time_zone"`
	Color         string `json:"color,omitempty"`
}

// Audience shows a contract's history to its signers once it is sent.
func (r contractRow) Audience() (visible bool, recipients []domain.ID) {
	return r.Released, r.Recipients
}

// Permission is what it takes to read a contract's history.
func (contractRow) Permission() string { return string(contact.ViewContracts) }

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
	OpenedAt   time.Time `db:"opened_at,null"`
	OpenedBy   string    `db:"opened_by"` // how they were signed in then
	ViewedAt   time.Time `db:"viewed_at,null"`
	ReadAt     time.Time `db:"read_at,null"` // to the end
	SignedAt   time.Time `db:"signed_at,null"`
	Name       string    `db:"name"`      // as the signer wrote it
	Statement  string    `db:"statement"` // what the signer agreed to
	SHA256     string    `db:"sha256"`    // of the text that was signed
	Form       string    `db:"form"`      // of the signature: typed or drawn
	Drawing    string    `db:"drawing"`   // of the signature, as SVG path data; empty when it was only typed
	DeclinedAt time.Time `db:"declined_at,null"`

	// Where the signature came from, for the certificate.
	IP        string    `db:"ip"`
	UserAgent string    `db:"user_agent"`
	Event     domain.ID `db:"event,null"`

	// What the signer was told about signing electronically, and agreed to.
	Disclosure  string    `db:"disclosure"` // its version
	DisclosedAt time.Time `db:"disclosed_at,null"`
	Disclosed   string    `db:"disclosed"` // its SHA-256
	ConsentedAt time.Time `db:"consented_at,null"`
	WithdrawnAt time.Time `db:"withdrawn_at,null"` // unless it was given again

	DrawingSHA256 string    `db:"drawing_sha256"`
	ProvedBy      string    `db:"proved_by"` // how they were signed in when they signed
	ProvedAt      time.Time `db:"proved_at,null"`
	CopyAt        time.Time `db:"copy_at,null"` // when the signed contract went to them
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

// withContract is the condition that clients see the contract of a row; column holds its id.
func withContract(column string) string {
	return "exists (select from contracts where contracts.id = " + column + ")"
}

// shownWhenComplete hides completed contracts where the firm does not show history.
const shownWhenComplete = "(status <> 'complete' or exists (select from firms where firms.id = contracts.firm and firms.show_history))"

func contractTables() []Table {
	return []Table{
		Define(Spec[contractRow]{
			Name: "contracts", Categories: []string{"contract"}, Primary: true, Access: OfRecipients, Fold: foldContract,
			ClientsWhere: "released and " + Permitted(string(contact.ViewContracts)) + " and " + shownWhenComplete,
			Indexes:      []string{"(account, drafted_at, id)", "(firm, drafted_at, id)", "(project) where project is not null"},
		}),
		Define(Spec[contractBodyRow]{
			Name: "contract_bodies", Categories: []string{"contract"}, Access: OfAccount, ClientsWhere: withContract("contract_bodies.id"),
			Fold: foldContractBody,
		}),
		Define(Spec[contractSignerRow]{
			Name: "contract_signers", Categories: []string{"contract"}, Access: OfAccount,
			ClientsWhere: withContract("contract_signers.contract"), Keys: signerKeys, FoldAt: foldSigner,
			Indexes: []string{"(contact)"},
		}),
		Define(Spec[contractNotesRow]{
			Name: "contract_notes", Categories: []string{"contract"}, Fold: foldContractNotes,
		}),
	}
}

func foldContract(row *contractRow, f domain.Fact) *contractRow {
	row = known(row)
	switch e := f.Event.(contract.Event).(type) {
	case contract.Drafted:
		row.owned = ownedBy(f)
		row.Project, row.Title, row.Status, row.DraftedAt = e.Project, e.Title.Reveal(), contract.StatusDraft, f.Meta.Time
		row.setSigners(e.Signers)
	case contract.DraftChanged:
		row.Project, row.Title = e.Project, e.Title.Reveal()
		row.setSigners(e.Signers)
	case contract.Sent:
		row.Status, row.Released, row.SentAt, row.SHA256 = contract.StatusSent, true, f.Meta.Time, e.SHA256
		p := e.Parties
		row.Parties = parties{p.Firm, p.FirmAddress, p.Client.Reveal(), p.ClientAddress.Reveal(), p.TimeZone, p.Color}
	case contract.Opened, contract.DisclosureShown, contract.Viewed, contract.ConsentGiven, contract.ConsentWithdrawn,
		contract.SignatureAdopted, contract.CopyDelivered: // a row of contract_signers
	case contract.Signed:
		row.SignedCount++
	case contract.Completed:
		row.Status, row.CompletedAt = contract.StatusComplete, f.Meta.Time
		row.CompletedIn = f.Revision
	case contract.Declined:
		row.Status, row.EndedAt = contract.StatusDeclined, f.Meta.Time
	case contract.Voided:
		row.Status, row.EndedAt = contract.StatusVoid, f.Meta.Time
	}
	row.NextSigner = domain.NoID
	if row.Status == contract.StatusSent && row.SignedCount < len(row.Recipients) {
		row.NextSigner = row.Recipients[row.SignedCount]
	}
	return row
}

func (r *contractRow) setSigners(signers []contract.Signer) {
	r.Recipients, r.SignerCount = make([]domain.ID, len(signers)), len(signers)
	for i, s := range signers {
		r.Recipients[i] = s.Contact
	}
}

func foldContractBody(row *contractBodyRow, f domain.Fact) *contractBodyRow {
	row = known(row)
	switch e := f.Event.(contract.Event).(type) {
	case contract.Drafted:
		*row = contractBodyRow{ID: f.Of, Firm: f.Meta.Firm, Account: f.Meta.Account, Body: e.Body.Reveal()}
	case contract.DraftChanged:
		row.Body = e.Body.Reveal()
	case contract.Sent, contract.Opened, contract.DisclosureShown, contract.Viewed, contract.ConsentGiven, contract.ConsentWithdrawn,
		contract.SignatureAdopted, contract.Signed, contract.Completed, contract.CopyDelivered, contract.Declined, contract.Voided:
	}
	return row
}

func signerKeys(f domain.Fact) []Key {
	switch e := f.Event.(contract.Event).(type) {
	case contract.Drafted:
		return keysOf(f.Of, e.Signers)
	case contract.DraftChanged:
		keys := keysOf(f.Of, e.Signers)
		for _, gone := range e.Removed {
			keys = append(keys, K(f.Of, gone))
		}
		return keys
	case contract.Opened:
		return []Key{K(f.Of, e.Contact)}
	case contract.DisclosureShown:
		return []Key{K(f.Of, e.Contact)}
	case contract.Viewed:
		return []Key{K(f.Of, e.Contact)}
	case contract.ConsentGiven:
		return []Key{K(f.Of, e.Contact)}
	case contract.ConsentWithdrawn:
		return []Key{K(f.Of, e.Contact)}
	case contract.SignatureAdopted:
		return []Key{K(f.Of, e.Contact)}
	case contract.Signed:
		return []Key{K(f.Of, e.Contact)}
	case contract.CopyDelivered:
		return []Key{K(f.Of, e.Contact)}
	case contract.Declined:
		return []Key{K(f.Of, e.Contact)}
	case contract.Sent, contract.Completed, contract.Voided:
	}
	return nil
}

func keysOf(contractID domain.ID, signers []contract.Signer) []Key {
	keys := make([]Key, len(signers))
	for i, s := range signers {
		keys[i] = K(contractID, s.Contact)
	}
	return keys
}

// waiting is the row of a signer of a draft; none for somebody who does not sign it any more.
func waiting(f domain.Fact, signers []contract.Signer, key Key) *contractSignerRow {
	i := slices.IndexFunc(signers, func(s contract.Signer) bool { return K(f.Of, s.Contact) == key })
	if i < 0 {
		return nil
	}
	return &contractSignerRow{Contract: f.Of, Contact: signers[i].Contact, Firm: f.Meta.Firm, Account: f.Meta.Account, Place: i + 1}
}

func foldSigner(row *contractSignerRow, f domain.Fact, key Key) *contractSignerRow {
	row = known(row)
	switch e := f.Event.(contract.Event).(type) {
	case contract.Drafted:
		return waiting(f, e.Signers, key)
	case contract.DraftChanged:
		return waiting(f, e.Signers, key)
	case contract.Opened:
		row.OpenedAt, row.OpenedBy = f.Meta.Time, e.Proof.Method
	case contract.DisclosureShown:
		row.Disclosure, row.Disclosed, row.DisclosedAt, row.ConsentedAt = e.Version, e.SHA256, f.Meta.Time, time.Time{}
	case contract.Viewed:
		if e.Through == contract.ToTheEnd {
			row.ReadAt = f.Meta.Time
		} else {
			row.ViewedAt = f.Meta.Time
		}
	case contract.ConsentGiven:
		row.ConsentedAt, row.WithdrawnAt = f.Meta.Time, time.Time{}
	case contract.ConsentWithdrawn:
		row.ConsentedAt, row.WithdrawnAt = time.Time{}, f.Meta.Time
	case contract.SignatureAdopted:
		row.Form, row.Drawing, row.DrawingSHA256 = string(e.Form), e.Drawing.Reveal(), e.SHA256
	case contract.CopyDelivered:
		row.CopyAt = f.Meta.Time
	case contract.Signed:
		row.IP, row.UserAgent, row.Event = f.Meta.IP.Reveal(), f.Meta.UserAgent.Reveal(), f.ID
		row.SignedAt, row.Name, row.Statement, row.SHA256 = f.Meta.Time, e.Name.Reveal(), e.Statement.Reveal(), e.SHA256
		row.ProvedBy, row.ProvedAt = e.Proof.Method, e.Proof.At
	case contract.Declined:
		row.DeclinedAt = f.Meta.Time
	case contract.Sent, contract.Completed, contract.Voided:
	}
	return row
}

func foldContractNotes(row *contractNotesRow, f domain.Fact) *contractNotesRow {
	row = known(row)
	switch e := f.Event.(contract.Event).(type) {
	case contract.Drafted:
		row.ID, row.Firm, row.Account = f.Of, f.Meta.Firm, f.Meta.Account
	case contract.Declined:
		row.DeclinedBy, row.DeclineReason = e.Contact, e.Reason.Reveal()
	case contract.Voided:
		row.VoidReason = e.Reason.Reveal()
	case contract.DraftChanged, contract.Sent, contract.Opened, contract.DisclosureShown, contract.Viewed, contract.ConsentGiven,
		contract.ConsentWithdrawn, contract.SignatureAdopted, contract.Signed, contract.Completed, contract.CopyDelivered:
	}
	return row
}
