package readapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// Entry is one line of history: who did what to which record, when, and what changed.
type Entry struct {
	ID       domain.ID       `json:"id" sql:"h.event_id" doc:"of the event, which later ones name as their cause"`
	Position domain.Position `json:"position" sql:"h.position"`
	Time     time.Time       `json:"time" sql:"h.time"`
	Actor    EntryActor      `json:"actor"`
	Action   string          `json:"action" sql:"h.event" doc:"the event's type"`
	Sentence string          `json:"sentence" sql:"concat(coalesce(nullif(s.name, ''), nullif(c.name, ''), case h.actor_kind when 'staff' then 'Somebody at the firm' when 'client' then 'A contact' else upper(left(h.actor, 1)) || substr(h.actor, 2) end), ' ', h.sentence)"`
	Record   EntryRecord     `json:"record"`
	Changes  []EntryChange   `json:"changes" sql:"h.changes"`
	Command  domain.ID       `json:"command,omitzero" sql:"h.command" doc:"the command that did it"`
	Cause    domain.ID       `json:"cause,omitzero" sql:"h.cause" doc:"the event that led to it, when no person did"`
}

// EntryActor is who did something.
type EntryActor struct {
	ID         domain.ID `json:"id,omitzero" sql:"case when h.actor_kind in ('staff', 'client') then h.actor::uuid end" doc:"none for parts of the system"`
	Name       string    `json:"name" sql:"coalesce(nullif(s.name, ''), nullif(c.name, ''), case when h.actor_kind = 'system' then upper(left(h.actor, 1)) || substr(h.actor, 2) end)" doc:"empty when not known any more"`
	Kind       string    `json:"kind" sql:"h.actor_kind" enum:"staff,client,system"`
	OnBehalfOf domain.ID `json:"on_behalf_of,omitzero" sql:"h.on_behalf_of"`
}

// EntryRecord is the record that something was done to.
type EntryRecord struct {
	Type  string    `json:"type" sql:"h.category"`
	ID    domain.ID `json:"id" sql:"h.record"`
	Label string    `json:"label" sql:"h.label" doc:"its name after the event"`
}

// EntryChange is one field of the record before and after.
type EntryChange struct {
	Field string          `json:"field"`
	From  json.RawMessage `json:"from"`
	To    json.RawMessage `json:"to"`
}

// StaffEntry adds where it was done from.
type StaffEntry struct {
	Entry
	IP      string `json:"ip,omitempty" sql:"h.ip"`
	Session string `json:"session,omitempty" sql:"h.session"`
}

const (
	entriesTables = ` from history h
		left join staff s on s.firm = h.firm and s.id = case when h.actor_kind = 'staff' then h.actor::uuid end
		left join contacts c on c.firm = h.firm and c.id = case when h.actor_kind = 'client' then h.actor::uuid end`
	// pageTables look up the names of the entries of a page alone. Joined as above they cost what it takes to read all people
	// of a firm; a search for a name and an export do read all entries.
	pageTables = ` from history h
		left join lateral (select name from staff where firm = h.firm and id = case when h.actor_kind = 'staff' then h.actor::uuid end limit 1) s on true
		left join lateral (select name from contacts where firm = h.firm and id = case when h.actor_kind = 'client' then h.actor::uuid end limit 1) c on true`
	// entriesMine is the first lock for contacts. Which entries are theirs to see at all stands in the rows.
	entriesMine = " and h.account = {account} and h.client_visible and {history} and h.category <> all({hidden}::text[])"
)

var entryViews = map[domain.ActorKind]*view{domain.Staff: viewOf[StaffEntry](), domain.Client: viewOf[Entry]()}

// hiddenModules are the categories that a contact lacks the permission for.
func hiddenModules(scope *auth.Scope) []string {
	hidden := []string{}
	for _, module := range []struct{ category, permission string }{
		{"project", "view_projects"}, {"invoice", "view_invoices"}, {"payment", "view_invoices"}, {"contract", "view_contracts"},
	} {
		if !scope.Permits(module.permission) {
			hidden = append(hidden, module.category)
		}
	}
	return hidden
}

// historyParameters are what every history takes. Formats other than page give everything at once.
var (
	historyParameters = []string{"limit", "cursor", "person", "module", "action", "looks", "from", "to", "q", "why", "format", "after", asOfParameter}
	historyFormats    = []string{"page", "csv", "json"}
)

// historyOf answers GET /{collection}/{id}/history.
func (s *server) historyOf(c *collection) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scope := auth.From(r.Context())
		p := parseParams(r, historyParameters...)
		h := s.queryHistory(scope, p)
		if err := cmp.Or(p.err(), c.allow(scope)); err != nil {
			Problem(w, r, err)
			return
		}
		id, ok := parseID(chi.URLParam(r, "id"))
		if !ok {
			Problem(w, r, domain.Missing(c.what))
			return
		}
		h.only(c, id)
		s.answerHistory(w, r, h)
	}
}

// only asks for the history of a thing of a collection. Whoever may not open the thing gets the same answer as for one
// that does not exist.
func (h *historyQuery) only(c *collection, id domain.ID) {
	exists := h.reading.statement()
	exists.add("select ", c.aboutColumns(h.scope))
	c.locked(exists, c.source(h.scope))
	exists.add(" and ", c.id, " = ", exists.arg(id))
	h.reading.add(exists, func(rows pgx.Rows) error {
		if !rows.Next() {
			if rows.Err() != nil {
				return rows.Err()
			}
			return domain.Missing(c.what)
		}
		var on opened
		if err := rows.Scan(on.targets()...); err != nil {
			return err
		}
		h.record = on.of(c, id)
		return nil
	})
	h.condition, h.of = c.history, id
	c.isAbout(h.reading, id)
}

// history answers GET /history and GET /activity: everything that the caller may see.
func (s *server) history(staffOnly bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scope := auth.From(r.Context())
		if staffOnly && !scope.Staff() {
			Problem(w, r, errNotPermitted)
			return
		}
		p := parseParams(r, historyParameters...)
		h := s.queryHistory(scope, p)
		h.record = everything(scope)
		s.answerHistory(w, r, h)
	}
}

// historyQuery is a history that was asked for.
type historyQuery struct {
	*reading
	params *params

	condition string // with $ for of
	of        domain.ID
	record    Opened // whose history it is

	person, module, action, text string
	looks                        string // yes: only what changed nothing; no: only what did; empty: both
	from, to                     time.Time
	why                          domain.Position // of the entry that is asked about; none: all entries
	at                           cursor          // of the page that was asked for; no value: the first
	limit                        int
	format                       string
}

const historyList = "history"

func (s *server) queryHistory(scope *auth.Scope, p *params) *historyQuery {
	h := &historyQuery{reading: s.start(scope, p), params: p, limit: p.limit(), format: p.oneOf("format", historyFormats)}
	h.person, _ = p.text("person")
	h.module, _ = p.text("module")
	h.action, _ = p.text("action")
	h.text, _ = p.text("q")
	h.looks = yesOrNo(p)
	h.from, _ = p.instant("from", scope.Settings.Location(), false)
	h.to, _ = p.instant("to", scope.Settings.Location(), true)
	if text, ok := p.get("why"); ok {
		var err error
		if h.why, err = domain.ParsePosition(text); err != nil {
			p.fail("why", "parameter-invalid", "Give the position of an entry, as the history has it.")
		}
	}
	if text, ok := p.get("cursor"); ok {
		var ok bool
		if h.at, ok = parseCursor(text, historyList, sortNumber); !ok {
			p.fail("cursor", "cursor-invalid", "Give the cursor as another page had it in next or previous.")
		}
	}
	return h
}

func yesOrNo(p *params) string {
	switch looks, given := p.yesNo("looks"); {
	case !given:
		return ""
	case looks:
		return "yes"
	}
	return "no"
}

// ends begins the cursors of a page; placeOf is the place of an entry.
func (h *historyQuery) ends() ends { return ends{turned: h.at.Value != "", back: h.at.Back} }

func placeOf(e Entry) cursor { return cursor{List: historyList, Value: e.Position.String()} }

// matching selects something of all entries that were asked for.
func (h *historyQuery) matching(what string) *statement {
	st := h.reading.statement()
	tables := entriesTables
	if h.text == "" && h.format == historyFormats[0] {
		tables = pageTables
	}
	st.add("select ", what, tables, " where h.firm = {firm}")
	if !h.scope.Staff() {
		st.add(entriesMine)
	}
	if h.condition != "" {
		st.add(" and ", replaceValue(h.condition, st.arg(h.of)))
	}
	for _, f := range []struct{ value, sql string }{
		{h.person, " and h.actor = "}, {h.module, " and h.category = "}, {h.action, " and h.event = "},
	} {
		if f.value != "" {
			st.add(f.sql, st.arg(f.value))
		}
	}
	switch h.looks {
	case "yes":
		st.add(" and h.event in (", lookEvents, ")")
	case "no":
		st.add(" and h.event not in (", lookEvents, ")")
	}
	if !h.from.IsZero() {
		st.add(" and h.time >= ", st.arg(h.from))
	}
	if !h.to.IsZero() {
		st.add(" and h.time < ", st.arg(h.to))
	}
	if h.text != "" {
		st.add(" and (", contains([]string{"h.sentence", "h.label", "s.name", "c.name"}, st.arg(h.text)), ")")
	}
	if h.why.Commit > 0 {
		near := ""
		if !h.scope.Staff() {
			near = " and account = {account}"
		}
		st.add(" and h.position in (with recursive why (position, cause, steps) as (select position, cause, 0 from history where firm = {firm} and position = ",
			st.arg(h.why.Commit), strings.ReplaceAll(ledTo, "$near", near), ")")
	}
	return st
}

// ledTo follows the causes of an entry up to one that has none: what a person did, or a clock. An effect follows its
// cause soon, so not all that ever happened is searched.
const ledTo = ` union all
	select led.position, led.cause, why.steps + 1 from why cross join lateral (
		select position, cause from (
			select position, cause, event_id from history where firm = {firm}$near and position < why.position order by position desc limit 50000
		) before where event_id = why.cause limit 1) led
	where why.cause is not null and why.steps < 20) select position from why`

// statement is the query, newest first, without a limit. The page before one comes from its end.
func (h *historyQuery) statement() *statement {
	st := h.matching(h.view().columns)
	order, follows := " desc", " < "
	if h.at.Back {
		order, follows = "", " > "
	}
	if h.at.Value != "" {
		st.add(" and h.position", follows, st.arg(h.at.Value), "::bigint")
	}
	return st.add(" order by h.position", order)
}

func (h *historyQuery) view() *view { return entryViews[h.scope.Actor.Kind] }

func (s *server) answerHistory(w http.ResponseWriter, r *http.Request, h *historyQuery) {
	stale, err := s.ready(r.Context(), h.params)
	if err != nil {
		Problem(w, r, err)
		return
	}
	if h.format != historyFormats[0] {
		s.export(w, r, h, stale)
		return
	}
	answer := page{Items: []any{}}
	h.add(h.statement().add(" limit ", strconv.Itoa(h.limit+1)), func(rows pgx.Rows) error {
		scanner := h.view().scanner()
		answer.Items = answer.Items[:0]
		places := h.ends()
		for rows.Next() {
			if len(answer.Items) == h.limit {
				places.more = true
				break
			}
			if err := scanner.scan(rows); err != nil {
				return err
			}
			places.add(placeOf(asStaffEntry(scanner.object).Entry))
			answer.Items = append(answer.Items, scanner.take().Interface())
		}
		if h.at.Back {
			slices.Reverse(answer.Items)
		}
		answer.Previous, answer.Next = places.cursors()
		return rows.Err()
	})
	if err := s.run(r.Context(), h.reading); err != nil {
		Problem(w, r, err)
		return
	}
	answer.Position, answer.Stale = h.position, stale
	reply(w, r, answer, stale)
}
