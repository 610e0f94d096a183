package readapi

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Contact is a person at a client, as the other contacts of the client see it.
type Contact struct {
	ID         domain.ID `json:"id" sql:"c.id"`
	Revision   int64     `json:"revision" sql:"c.revision"`
	Account    domain.ID `json:"account" sql:"m.account" doc:"that whoever asks looks at; for staff the contact's own"`
	Name       string    `json:"name" sql:"c.name"`
	Email      string    `json:"email,omitempty" sql:"c.email"`
	Phone      string    `json:"phone,omitempty" sql:"c.phone"`
	Role       string    `json:"role,omitempty" sql:"m.role"`
	Primary    bool      `json:"primary" sql:"c.primary_contact and m.own"`
	MergedInto domain.ID `json:"merged_into,omitzero" sql:"c.merged_into"`
	AddedAt    time.Time `json:"added_at" sql:"c.added_at"`
}

// StaffContact adds how the contact gets into the portal, and why not.
type StaffContact struct {
	Contact
	AccountName  string        `json:"account_name" sql:"(select a.name from accounts a where a.id = c.account)"`
	AlsoFor      []ContactLink `json:"also_for" sql:"(select jsonb_agg(jsonb_build_object('account', l.account, 'name', a.name, 'role', l.role, 'permissions', l.permissions, 'since', l.since) order by a.name, a.id) from memberships l join accounts a on a.id = l.account where l.contact = c.id and not l.own)" doc:"other accounts that the contact works for"`
	Permissions  []string      `json:"permissions" sql:"c.permissions"`
	Access       string        `json:"access" sql:"c.access"`
	Absorbed     []domain.ID   `json:"absorbed" sql:"c.absorbed"`
	FreezeReason string        `json:"freeze_reason,omitempty" sql:"n.freeze_reason"`
	RevokeReason string        `json:"revoke_reason,omitempty" sql:"n.revoke_reason"`
	MergeReason  string        `json:"merge_reason,omitempty" sql:"n.merge_reason"`
}

// ContactLink is another account that a contact works for, with what they may do there.
type ContactLink struct {
	Account     domain.ID `json:"account"`
	Name        string    `json:"name"` // of the account
	Role        string    `json:"role"`
	Permissions []string  `json:"permissions"`
	Since       time.Time `json:"since"`
}

func contacts() *collection {
	client, staff := viewOf[Contact](), viewOf[StaffContact]()
	shown := "c.merged_into is null"
	return &collection{
		name: "contacts", what: "contact", doc: "People at clients. Lists leave out duplicates that were merged into another contact.",
		client: source{from: "memberships m join contacts c on c.id = m.contact", list: client, get: client, shown: shown},
		staff:  source{from: "contacts c join memberships m on m.contact = c.id and m.own left join contact_notes n on n.id = c.id", list: staff, get: staff, shown: shown},
		id:     "c.id", firm: "c.firm", account: "m.account",
		search: []string{"c.name", "c.email"},
		sorts:  append(both("name", "c.name", sortText), both("-added", "c.added_at", sortInstant)...),
		filters: []filter{
			{name: "account", kind: byID, sql: "exists (select from memberships w where w.contact = c.id and w.account = $)"},
			{name: "access", kind: byWords, sql: "c.access = any($)", words: []string{"none", "granted", "frozen", "revoked"}},
		},
		history: "h.record = $",
		about:   aboutOf{kind: "contact", to: "array[c.id]"},
	}
}

type notifications struct {
	Off []string `sql:"c.notifications_off"`
}

var notificationsView = viewOf[notifications]()

// NotificationsOff asks which mails the contact who asks does without.
func NotificationsOff(r *Reading) *[]string {
	off := new([]string)
	each(r.q, notificationsView, " from contacts c where c.firm = {firm} and c.id = {contact}", func(one notifications) { *off = one.Off })
	return off
}
