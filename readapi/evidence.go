package readapi

import (
	"context"
	"fmt"
	"io"
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

// Evidence makes bundles that can be verified without this program.
type Evidence interface {
	// Issue records that a bundle is handed out to the actor of m, and makes it. The caller closes it.
	Issue(ctx context.Context, o EvidenceOrder, m domain.Meta) (io.ReadCloser, error)
}

// EvidenceOrder is what somebody may have evidence of.
type EvidenceOrder struct {
	Scope   *auth.Scope // of whoever asks
	Account domain.ID
	Client  string // name of the account
	// About is the stream of what the bundle is about and, for contacts, whose eyes it is seen with:
	// "account-<id> as contact-<id> without invoice".
	About string
	// Lines are the events that the reader may see, oldest first. Others of the same streams are withheld.
	Lines []EvidenceLine
	// Since is the size of a log that the reader holds a seal of; 0: none.
	Since int64
}

// EvidenceLine is one event as history tells it.
type EvidenceLine struct {
	Stream   string
	Revision int64
	Time     time.Time
	Sentence string // who did what
}

// evidenceEntry is an entry of history with where its event stands.
type evidenceEntry struct {
	Entry
	Stream   string    `sql:"h.stream"`
	Revision int64     `sql:"h.revision"`
	Account  domain.ID `sql:"h.account"`
	Client   string    `sql:"a.name"`
}

var evidenceView = viewOf[evidenceEntry]()

// evidenceConditions say which entries belong to a thing of a kind; $ stands for its id.
var evidenceConditions = map[string]string{
	"account": "h.account = $",
	"project": `(h.record = $ or h.record in (
		select id from contracts where project = $ union all select id from invoices where project = $
		union all select t.id from payment_attempts t join invoices i on i.firm = t.firm and i.id = t.invoice where i.project = $))`,
	"contract": "h.record = $",
	"invoice":  "(h.record = $ or h.record in (select id from payment_attempts where invoice = $))",
}

var errHistoryHidden = domain.Refuse("history-hidden", "The firm does not show its history here. Ask the firm for the evidence.")

// EvidenceOf reads what whoever asks may have evidence of: an account, a project, an invoice or a contract, named by its stream. Who
// may not see it gets the fault for one that is missing.
func (r *Reader) EvidenceOf(ctx context.Context, scope *auth.Scope, about string) (EvidenceOrder, error) {
	return r.s.evidenceOf(ctx, scope, about)
}

func (s *server) evidenceOf(ctx context.Context, scope *auth.Scope, about string) (EvidenceOrder, error) {
	o := EvidenceOrder{Scope: scope, About: about}
	kind, id, ok := domain.ParseStream(about)
	condition, known := evidenceConditions[kind]
	switch {
	case !ok || !known:
		return o, &domain.Fault{Kind: domain.Malformed, Code: "about-invalid", Field: "about", Message: "Give an account, a project, an invoice or a contract as about, such as contract-<id>."}
	case !scope.Staff() && !scope.ShowHistory:
		return o, errHistoryHidden
	}
	q := s.start(scope, &params{})
	q.endless = true
	st := q.statement()
	st.add("select ", evidenceView.columns, entriesTables, " left join accounts a on a.firm = h.firm and a.id = h.account where h.firm = {firm}")
	if !scope.Staff() {
		st.add(entriesMine)
		o.About += " as " + domain.StreamName("contact", scope.Actor.ID) // others may see other things
		if hidden := hiddenModules(scope); len(hidden) > 0 {
			o.About += " without " + strings.Join(slices.Sorted(slices.Values(hidden)), ", ")
		}
	}
	st.add(" and ", strings.ReplaceAll(condition, "$", st.arg(id)), " order by h.position")
	q.add(st, func(rows pgx.Rows) error {
		scanner := evidenceView.scanner()
		for rows.Next() {
			if err := scanner.scan(rows); err != nil {
				return err
			}
			e := scanner.object.Addr().Interface().(*evidenceEntry)
			o.Account, o.Client = e.Account, e.Client
			o.Lines = append(o.Lines, EvidenceLine{Stream: e.Stream, Revision: e.Revision, Time: e.Time, Sentence: e.Sentence})
		}
		return rows.Err()
	})
	if err := s.run(ctx, q); err != nil {
		return o, err
	}
	its := func(l EvidenceLine) bool { return l.Stream == about }
	if !slices.ContainsFunc(o.Lines, its) || o.Account == domain.NoID { // an id of something of another kind, for one
		return o, domain.Missing(kind)
	}
	return o, nil
}

// evidence answers GET /accounts/{id}/evidence with a bundle.
func (s *server) evidence(w http.ResponseWriter, r *http.Request) {
	scope := auth.From(r.Context())
	p := parseParams(r, "about", "since", "after")
	about, given := p.text("about")
	since, err := parseSince(p)
	if err == nil {
		_, err = s.ready(r.Context(), p)
	}
	id, ok := parseID(chi.URLParam(r, "id"))
	if err == nil && (!ok || !scope.Staff() && id != scope.Account) {
		err = domain.Missing("account")
	}
	if err != nil {
		Problem(w, r, err)
		return
	}
	if !given {
		about = domain.StreamName("account", id)
	}
	bundle, err := s.issue(r, scope, id, about, since)
	if err != nil {
		Problem(w, r, err)
		return
	}
	defer bundle.Close()
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="evidence-`+about+`.zip"`)
	if _, err := io.Copy(w, bundle); err != nil {
		visitOf(r.Context()).log.Warn("evidence was not sent whole", "error", err)
	}
}

func parseSince(p *params) (int64, error) {
	text, ok := p.get("since")
	if !ok {
		return 0, nil
	}
	size, err := strconv.ParseInt(text, 10, 64)
	if err != nil || size < 1 {
		return 0, &domain.Fault{Kind: domain.Malformed, Code: "since-invalid", Field: "since", Message: "Give the number of entries of a seal that you hold as since."}
	}
	return size, nil
}

func (s *server) issue(r *http.Request, scope *auth.Scope, account domain.ID, about string, since int64) (io.ReadCloser, error) {
	select {
	case s.exports <- struct{}{}:
		defer func() { <-s.exports }()
	default:
		return nil, errExportsBusy
	}
	m, err := Meta(r)
	if err != nil {
		return nil, err
	}
	o, err := s.evidenceOf(r.Context(), scope, about)
	if err != nil {
		return nil, err
	}
	if o.Account != account {
		return nil, domain.Missing("account")
	}
	o.Since = since
	bundle, err := s.Evidence.Issue(r.Context(), o, m)
	if err != nil {
		return nil, fmt.Errorf("evidence of %s: %w", about, err)
	}
	return bundle, nil
}
