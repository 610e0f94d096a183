package readapi_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
)

// handedOut remembers the last bundle that was asked for.
type handedOut struct {
	order readapi.EvidenceOrder
	by    domain.Meta
}

func (h *handedOut) Issue(_ context.Context, o readapi.EvidenceOrder, m domain.Meta) (io.ReadCloser, error) {
	h.order, h.by = o, m
	return io.NopCloser(strings.NewReader("a bundle")), nil
}

// testEvidence checks that a bundle holds what its reader sees in history, and nothing else.
func testEvidence(t *testing.T, w *world) {
	account := w.ids["aurora"].String()
	path := "/api/v1/accounts/" + account + "/evidence"
	handed := w.options.Evidence.(*handedOut)
	kinds := func(lines []readapi.EvidenceLine) (list []string) {
		for _, line := range lines {
			kind, _, _ := domain.ParseStream(line.Stream)
			list = append(list, kind)
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	for _, x := range []struct {
		who   string
		about string // beginning
		sees  []string
		not   []string
	}{
		{"ada", "account-" + account, []string{"account", "contact", "contract", "invoice", "project"}, nil},
		{"olga", "account-" + account + " as contact-" + w.ids["olga"].String(), []string{"account", "contract", "invoice", "project"}, nil},
		{"liam", "account-" + account + " as contact-" + w.ids["liam"].String() + " without contract", []string{"account"}, []string{"contract", "invoice", "payment", "project"}},
	} {
		a := w.of(t).ask(http.MethodGet, path, x.who)
		if a.status != http.StatusOK || a.body != "a bundle" || a.header.Get("Content-Type") != "application/zip" {
			t.Fatalf("%s: %d %s", x.who, a.status, a.body)
		}
		got := kinds(handed.order.Lines)
		if !strings.HasPrefix(handed.order.About, x.about) || handed.order.Account != w.ids["aurora"] {
			t.Errorf("%s has evidence about %q", x.who, handed.order.About)
		}
		for _, kind := range x.sees {
			if !slices.Contains(got, kind) {
				t.Errorf("%s has no evidence of any %s, only of %v", x.who, kind, got)
			}
		}
		for _, kind := range x.not {
			if slices.Contains(got, kind) {
				t.Errorf("%s has evidence of a %s", x.who, kind)
			}
		}
		if handed.by.Actor != handed.order.Scope.Actor || handed.by.Command == domain.NoID {
			t.Errorf("%s is handed evidence in the name of %v", x.who, handed.by.Actor)
		}
	}

	contract := domain.StreamName("contract", w.ids["contract"])
	if a := w.of(t).ask(http.MethodGet, path+"?about="+contract+"&since=7", "ada"); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if got := kinds(handed.order.Lines); !slices.Equal(got, []string{"contract"}) || handed.order.About != contract || handed.order.Since != 7 {
		t.Errorf("evidence about %s holds %v", handed.order.About, got)
	}
	for about, status := range map[string]int{
		"invoice-" + w.ids["invoice borealis"].String(): http.StatusNotFound, // of another client
		"contract-" + account:                           http.StatusNotFound,
		"firm-" + w.ids["north"].String():               http.StatusBadRequest,
		"everything":                                    http.StatusBadRequest,
	} {
		for _, who := range []string{"olga", "ada"} {
			if a := w.of(t).ask(http.MethodGet, path+"?about="+about, who); a.status != status {
				t.Errorf("%s about %s: %d %s", who, about, a.status, a.body)
			}
		}
	}
}
