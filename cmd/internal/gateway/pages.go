package gateway

import (
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/payment"
)

//go:embed pages.html
var pagesHTML embed.FS

// simulatedPage is a page as it is shown.
type simulatedPage struct {
	Attempt  domain.ID       `json:"attempt"`
	Invoice  string          `json:"invoice"`
	Amount   domain.Money    `json:"amount"`
	Refunded domain.Money    `json:"refunded"`
	Outcome  payment.Outcome `json:"outcome"`
	Held     bool            `json:"held"`
	URL      string          `json:"url"`
	Return   string          `json:"return"`
	Open     bool            `json:"-"`
}

// Handler serves the pages: /dev/gateway lists them (/dev/gateway.json for programs); on /dev/gateway/{attempt}
// somebody pays, with a form or with {"do":"succeed"}.
func (s *Simulator) Handler() (http.Handler, error) {
	pages, err := template.ParseFS(pagesHTML, "pages.html")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dev/gateway", func(w http.ResponseWriter, _ *http.Request) { show(w, pages, "list", http.StatusOK, s.all()) })
	mux.HandleFunc("GET /dev/gateway.json", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.all()) })
	mux.HandleFunc("GET /dev/gateway/{attempt}", func(w http.ResponseWriter, r *http.Request) {
		p, err := s.page(r.PathValue("attempt"))
		if err != nil {
			show(w, pages, "gone", http.StatusNotFound, nil)
			return
		}
		show(w, pages, "pay", http.StatusOK, p)
	})
	mux.HandleFunc("POST /dev/gateway/{attempt}", s.post)
	return mux, nil
}

func (s *Simulator) post(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	program := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
	what := struct {
		Do string `json:"do"`
	}{}
	if program {
		if err := json.NewDecoder(r.Body).Decode(&what); err != nil {
			http.Error(w, `send {"do":"succeed"}`, http.StatusBadRequest)
			return
		}
	} else {
		what.Do = r.PostFormValue("do")
	}
	p, err := s.page(r.PathValue("attempt"))
	if err == nil {
		err = s.do(r.Context(), p.Attempt, what.Do)
	}
	if err != nil {
		status := http.StatusConflict
		if fault, ok := errors.AsType[*domain.Fault](err); ok && fault.Kind == domain.NotFound {
			status = http.StatusNotFound
		}
		http.Error(w, err.Error(), status)
		return
	}
	p, _ = s.page(p.Attempt.String())
	switch {
	case program:
		answer(w, http.StatusOK, p)
	case what.Do == doRefund || what.Do == doRelease:
		http.Redirect(w, r, "/dev/gateway", http.StatusSeeOther)
	default:
		http.Redirect(w, r, p.Return, http.StatusSeeOther)
	}
}

func (s *Simulator) all() []simulatedPage {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []simulatedPage{}
	for i := len(s.order) - 1; i >= 0; i-- {
		list = append(list, s.shown(s.pages[s.order[i]]))
	}
	return list
}

func (s *Simulator) page(id string) (simulatedPage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for attempt, p := range s.pages {
		if attempt.String() == id {
			return s.shown(p), nil
		}
	}
	return simulatedPage{}, domain.Missing("payment page")
}

func (s *Simulator) shown(p *simulated) simulatedPage {
	s.expire(p)
	return simulatedPage{
		Attempt: p.bill.Attempt, Invoice: p.bill.Label, Amount: p.bill.Amount, Refunded: p.report.Refunded, Outcome: p.report.Outcome, Held: p.held,
		URL: "/dev/gateway/" + p.bill.Attempt.String(), Return: s.comeBack(p.bill), Open: p.report.Outcome == payment.Pending && !p.held,
	}
}

func (s *Simulator) comeBack(b reactors.Bill) string { return returnTo(s.base, b) }

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the client has gone
}

func show(w http.ResponseWriter, pages *template.Template, name string, status int, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	pages.ExecuteTemplate(w, name, data) //nolint:errcheck // the client has gone
}
