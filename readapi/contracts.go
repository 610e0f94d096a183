package readapi

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Contract is a text that people of a client sign.
type Contract struct {
	ID          domain.ID `json:"id" sql:"c.id"`
	Revision    int64     `json:"revision" sql:"c.revision"`
	Account     domain.ID `json:"account" sql:"c.account"`
	AccountName string    `json:"account_name" sql:"a.name"`
	Project     domain.ID `json:"project,omitzero" sql:"c.project"`
	Title       string    `json:"title" sql:"c.title"`
	Status      string    `json:"status" sql:"c.status" enum:"draft,sent,complete,declined,void"`
	SHA256      string    `json:"sha256,omitempty" sql:"c.sha256" doc:"of title, an empty line, body"`
	SignerCount int       `json:"signer_count" sql:"c.signer_count"`
	SignedCount int       `json:"signed_count" sql:"c.signed_count"`
	NextSigner  domain.ID `json:"next_signer,omitzero" sql:"c.next_signer"`
	DraftedAt   time.Time `json:"drafted_at" sql:"c.drafted_at"`
	SentAt      time.Time `json:"sent_at,omitzero" sql:"c.sent_at"`
	CompletedAt time.Time `json:"completed_at,omitzero" sql:"c.completed_at"`
	EndedAt     time.Time `json:"ended_at,omitzero" sql:"c.ended_at" doc:"declined or voided"`
}

// ContractDetail is a contract with its text and its signers.
type ContractDetail struct {
	Contract
	Body    string           `json:"body" sql:"b.body"`
	Signers []ContractSigner `json:"signers"`
}

// StaffContractDetail adds why it came to nothing.
type StaffContractDetail struct {
	ContractDetail
	DeclinedBy    domain.ID `json:"declined_by,omitzero" sql:"n.declined_by"`
	DeclineReason string    `json:"decline_reason,omitempty" sql:"n.decline_reason"`
	VoidReason    string    `json:"void_reason,omitempty" sql:"n.void_reason"`
}

// ContractSigner is a signer and how far they have come.
type ContractSigner struct {
	Contact    domain.ID `json:"contact" sql:"s.contact"`
	Name       string    `json:"name" sql:"p.name" doc:"of the contact"`
	Order      int       `json:"order" sql:"s.place" doc:"their turn, from 1"`
	OpenedAt   time.Time `json:"opened_at,omitzero" sql:"s.opened_at"`
	ViewedAt   time.Time `json:"viewed_at,omitzero" sql:"s.viewed_at"`
	ReadAt     time.Time `json:"read_at,omitzero" sql:"s.read_at" doc:"to the end, as the signer says"`
	SignedAt   time.Time `json:"signed_at,omitzero" sql:"s.signed_at"`
	SignedAs   string    `json:"signed_as,omitempty" sql:"s.name" doc:"the name as the signer wrote it"`
	Statement  string    `json:"statement,omitempty" sql:"s.statement"`
	SHA256     string    `json:"sha256,omitempty" sql:"s.sha256" doc:"of the text that was signed"`
	Drawing    string    `json:"drawing,omitempty" sql:"s.drawing" doc:"of the signature, as SVG path data in a field of 600 by 180"`
	DeclinedAt time.Time `json:"declined_at,omitzero" sql:"s.declined_at"`

	Disclosure       string    `json:"disclosure,omitempty" sql:"s.disclosure" doc:"version of what the signer was told about signing electronically"`
	DisclosureSHA256 string    `json:"disclosure_sha256,omitempty" sql:"s.disclosed"`
	ConsentedAt      time.Time `json:"consented_at,omitzero" sql:"s.consented_at" doc:"to sign electronically"`
	WithdrawnAt      time.Time `json:"withdrawn_at,omitzero" sql:"s.withdrawn_at" doc:"that consent"`
	CopyAt           time.Time `json:"copy_at,omitzero" sql:"s.copy_at" doc:"when the signed contract was mailed"`
}

func contracts() *collection {
	from := "contracts c left join contract_bodies b on b.id = c.id"
	return &collection{
		name: "contracts", what: "contract", doc: "Texts that people of a client sign.", permission: "view_contracts",
		client: source{
			from: from, list: viewOf[Contract](), get: viewOf[ContractDetail](),
			where: "c.released and (c.status <> 'complete' or {history})",
		},
		staff: source{
			from: from + " left join contract_notes n on n.id = c.id", list: viewOf[Contract](), get: viewOf[StaffContractDetail](),
		},
		id: "c.id", firm: "c.firm", account: "c.account", named: true,
		search: []string{"c.title"},
		sorts:  append(both("-drafted", "c.drafted_at", sortInstant), both("title", "lower(c.title)", sortText)...),
		filters: []filter{
			{name: "account", kind: byID, sql: "c.account = $"},
			{name: "project", kind: byID, sql: "c.project = $"},
			{name: "signer", kind: byID, sql: "c.next_signer = $"},
			{name: "status", kind: byWords, sql: "c.status = any($)", words: []string{"draft", "sent", "complete", "declined", "void"}},
		},
		parts: []part{{
			field: "Signers", view: viewOf[ContractSigner](), order: "s.place",
			from: "contract_signers s left join contacts p on p.id = s.contact", where: "s.firm = {firm} and s.contract = $",
		}},
		history: "h.record = $",
		about:   aboutOf{kind: "contract", label: "c.title", open: "c.released", to: "c.recipients"},
	}
}
