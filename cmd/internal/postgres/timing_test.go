package postgres_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth/door"
	"github.com/atrium-portal/atrium/readapi/auth/door/doortest"
	"github.com/atrium-portal/atrium/readapi/portal/signin"
)

// timings is how many requests of each kind are compared: 1,000 are the promise, and take minutes.
var timings = flag.Int("timings", 30, "requests for known and for unknown addresses whose times are compared")

// TestNobodyLearnsFromTimeWhoIsKnown sends requests for known and unknown addresses in random order to the pages on a
// real database. How long they take must not tell them apart: of a known and an unknown one, each is the slower one as
// often. That measure looks at ranks alone, so neither a slow machine nor a busy moment changes what it expects.
func TestNobodyLearnsFromTimeWhoIsKnown(t *testing.T) {
	d, _ := newDoor(t, migrated(t))
	w := doortest.NewWorld(t, d, func() []door.Mail { return nil })
	if _, err := w.Keeper.OneTimePassword(t.Context(), w.StaffActor(), w.Ana, door.Visit{}); err != nil {
		t.Fatal(err)
	}
	pages, err := signin.New(signin.Options{
		Keeper: w.Keeper, People: doortest.People{Loop: w.Loop, All: []domain.ID{w.Firm}}, Scopes: doortest.Scopes{Loop: w.Loop}, Now: w.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := chi.NewRouter()
	r.Use(middleware.ClientIPFromRemoteAddr)
	pages.Routes(r)
	careless := http.HandlerFunc(func(rw http.ResponseWriter, request *http.Request) { // hashes a password only where there is one
		known := request.PostFormValue("email") == "ana@lima.example" // read here: the routes get a copy of the request
		r.ServeHTTP(rw, request)
		if known {
			if _, err := w.Keeper.SignIn(request.Context(), w.Firm, "ana@lima.example", "not this one at all", door.Visit{}); err == nil {
				t.Error("a wrong password lets in")
			}
		}
	})
	for _, c := range []struct {
		name    string
		handler http.Handler
		path    string
		step    time.Duration // between two, so that none is slowed down for being too many
		tells   bool
	}{
		{"links", r, "/login", 13 * time.Minute, false},
		{"passwords", r, "/login/password", 2 * time.Minute, false},
		{"a careless page", careless, "/login", 13 * time.Minute, true},
	} {
		n := *timings
		var times [2][]time.Duration // of unknown and known addresses
		for i := range n {
			w.Advance(c.step)
			emails := []string{fmt.Sprintf("nobody%d@lima.example", i), "ana@lima.example"}
			for _, which := range rand.Perm(2) {
				form := url.Values{"email": {emails[which]}, "password": {"not this one at all"}, "firm": {"north-studio"}}
				request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, strings.NewReader(form.Encode()))
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				request.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", which, i/250, i%250)
				answer := httptest.NewRecorder()
				begun := time.Now()
				c.handler.ServeHTTP(answer, request)
				times[which] = append(times[which], time.Since(begun))
				if answer.Code == http.StatusTooManyRequests || answer.Code >= http.StatusInternalServerError {
					t.Fatalf("%s: %d %s", c.name, answer.Code, answer.Body)
				}
				w.Keeper.Settle()
				if err := w.Keeper.Work(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		slower := slowerShare(times[1], times[0])
		// By chance the share strays from a half by this much once in a million times.
		stray := 5 * math.Sqrt(float64(2*n+1)/float64(12*n*n))
		t.Logf("%s: %d each; known ones are slower in %.1f%%, at most %.1f%% is chance; quartiles known %v, unknown %v",
			c.name, n, 100*slower, 100*(0.5+stray), quartiles(times[1]), quartiles(times[0]))
		if separable := math.Abs(slower-0.5) > stray; separable != c.tells {
			t.Errorf("%s: separable is %v, want %v", c.name, separable, c.tells)
		}
	}
}

// slowerShare is the share of pairs of both samples in which the one of a is the larger.
func slowerShare(a, b []time.Duration) float64 {
	larger := 0.0
	for _, x := range a {
		for _, y := range b {
			switch {
			case x > y:
				larger++
			case x == y:
				larger += 0.5
			}
		}
	}
	return larger / float64(len(a)*len(b))
}

func quartiles(times []time.Duration) [3]time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	at := func(q int) time.Duration { return sorted[q*(len(sorted)-1)/4].Round(time.Microsecond) }
	return [3]time.Duration{at(1), at(2), at(3)}
}
