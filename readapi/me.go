package readapi

import (
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// Me is whoever asks, and what they may do.
type Me struct {
	Kind        string    `json:"kind" enum:"staff,client"`
	ID          domain.ID `json:"id"`
	Name        string    `json:"name"`
	Email       string    `json:"email,omitempty"`
	Role        string    `json:"role" doc:"of a staff member at the firm, or of a contact at its client"`
	Permissions []string  `json:"permissions" doc:"of a contact; staff need none"`
	Scopes      []string  `json:"scopes" doc:"what the token may be used for"`
	Firm        MyFirm    `json:"firm"`
	Account     *MyOwn    `json:"account,omitempty" doc:"of a contact: the one that the request is about"`
	Accounts    []MyOther `json:"accounts,omitempty" doc:"all that a contact works for, their own first"`
}

// MyFirm is the firm as its people and its clients see it.
type MyFirm struct {
	ID           domain.ID   `json:"id"`
	Name         string      `json:"name"`
	Slug         string      `json:"slug"`
	Currency     string      `json:"currency"`
	TimeZone     string      `json:"time_zone"`
	NumberFormat string      `json:"number_format"`
	Today        domain.Date `json:"today" doc:"where the firm is"`
}

// MyOwn is the account of a contact.
type MyOwn struct {
	ID       domain.ID `json:"id"`
	Name     string    `json:"name"`
	Currency string    `json:"currency"`
}

// MyOther is an account that a contact works for.
type MyOther struct {
	ID   domain.ID `json:"id"`
	Name string    `json:"name"`
}

// me answers GET /me. Who somebody is and what they may do comes from the write side; only names are read.
func (s *server) me(w http.ResponseWriter, r *http.Request) {
	scope := auth.From(r.Context())
	p := parseParams(r, everyRead...)
	q := s.start(scope, p)
	stale, err := s.ready(r.Context(), p)
	if err != nil {
		Problem(w, r, err)
		return
	}
	firm := scope.Settings
	me := Me{
		Kind: string(scope.Actor.Kind), ID: scope.Actor.ID, Role: scope.Role, Permissions: append([]string{}, scope.Permissions...),
		Scopes: append([]string{}, scope.Rights...),
		Firm: MyFirm{
			ID: scope.Firm, Name: firm.Name, Slug: firm.Slug, Currency: firm.Currency, TimeZone: firm.Location().String(),
			NumberFormat: firm.NumberFormat, Today: q.today,
		},
	}
	st := q.statement()
	targets := []any{&me.Name, &me.Email}
	if scope.Staff() {
		st.add("select s.name, coalesce(d.email, '') from staff s left join staff_details d on d.id = s.id where s.firm = {firm} and s.id = {contact}")
	} else {
		me.Account = &MyOwn{ID: scope.Account}
		for _, account := range scope.Accounts {
			me.Accounts = append(me.Accounts, MyOther(account))
		}
		targets = append(targets, &me.Account.Name, &me.Account.Currency)
		st.add(`select c.name, c.email, a.name, a.currency from contacts c join accounts a on a.id = {account}
			where c.firm = {firm} and c.id = {contact}`)
	}
	q.add(st, func(rows pgx.Rows) error {
		if rows.Next() { // otherwise the read models have not come so far yet
			return rows.Scan(targets...)
		}
		return rows.Err()
	})
	if err := s.run(r.Context(), q); err != nil {
		Problem(w, r, err)
		return
	}
	w.Header().Set(positionHeader, q.position.String())
	reply(w, r, me, stale)
}
