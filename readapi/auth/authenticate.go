package auth

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5/middleware"

	"github.com/atrium-portal/atrium/domain"
)

// Authenticate lets in whoever one of ways identifies and the write side knows, with their scope in the context.
// Everybody else is answered 401.
func Authenticate(people People, problem Problem, ways ...Identify) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			scope, err := identify(r, people, ways)
			if err != nil {
				problem(w, r, err)
				return
			}
			scope.check = func(ctx context.Context) error {
				now, err := identify(r.WithContext(quiet(ctx)), people, ways)
				if err == nil && (now.Actor != scope.Actor || now.Account != scope.Account) {
					err = errNotSignedIn
				}
				return err
			}
			r = r.WithContext(In(r.Context(), scope)) // also for a refusal: its page and its line in the history name who it was
			if err := scope.looksOnly(r.Method); err != nil {
				problem(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func identify(r *http.Request, people People, ways []Identify) (*Scope, error) {
	for _, way := range ways {
		who, ok, err := way(r)
		if err != nil {
			return nil, unavailable()
		}
		if !ok {
			continue
		}
		scope, err := scopeOf(r.Context(), people, who)
		if err != nil {
			return nil, err
		}
		if scope == nil {
			break
		}
		scope.IP = middleware.GetClientIP(r.Context())
		scope.UserAgent = clip(r.UserAgent(), 400)
		return scope, nil
	}
	return nil, errNotSignedIn
}

var errNotSignedIn = &domain.Fault{Kind: domain.Unauthenticated, Code: "not-signed-in", Message: "Sign in, or send a valid token as Authorization: Bearer."}

// scopeOf asks the write side; nil when it does not let this person in.
func scopeOf(ctx context.Context, people People, who Identity) (*Scope, error) {
	settings, ok, err := people.Firm(ctx, who.Firm)
	if err != nil {
		return nil, unavailable()
	}
	if !ok {
		return nil, nil
	}
	s := &Scope{
		Firm: who.Firm, Settings: settings, Rights: who.Rights, Credential: who.Credential, Session: who.Session,
		Proved: who.Proved, Method: who.Method, Preview: who.Preview,
	}
	if who.Preview != nil {
		_, active, err := people.Staff(ctx, who.Firm, who.Preview.Staff)
		if err != nil {
			return nil, unavailable()
		}
		if !active {
			return nil, nil
		}
	}
	if who.Staff != domain.NoID {
		role, active, err := people.Staff(ctx, who.Firm, who.Staff)
		if err != nil {
			return nil, unavailable()
		}
		if !active {
			return nil, nil
		}
		s.Actor = domain.Actor{Kind: domain.Staff, ID: who.Staff}
		s.Role, s.Unreleased, s.ShowHistory = role, true, true
		return s, nil
	}
	access, err := people.Contact(ctx, who.Firm, who.Contact, who.Account)
	if err != nil {
		return nil, unavailable()
	}
	if !access.OK || access.Account == domain.NoID {
		return nil, nil
	}
	if who.Strict && access.Account != who.Account {
		return nil, domain.Missing("account")
	}
	s.Actor = domain.Actor{Kind: domain.Client, ID: who.Contact}
	s.Accounts = access.Accounts
	s.Account, s.Role, s.Permissions, s.Absorbed = access.Account, access.Role, access.Permissions, access.Absorbed
	s.Unreleased, s.ShowHistory = settings.ShowUnreleased, settings.ShowHistory
	return s, nil
}

// unavailable says that we could not find out who it is: refusing is the safe answer, and trying again the cure.
func unavailable() error {
	return &domain.Fault{Kind: domain.Unavailable, Code: "sign-in-unavailable", Message: "We cannot check who you are right now. Please try again in a moment."}
}

// AccountHeader names the account that a request with a contact's token is about, when its person works for several.
// Without it, it is about their first.
const AccountHeader = "Atrium-Account"

// Bearer reads API tokens from the header Authorization, and the account from AccountHeader.
func Bearer(tokens Tokens) Identify {
	return func(r *http.Request) (Identity, bool, error) {
		scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || secret == "" || len(r.Header.Values("Authorization")) > 1 {
			return Identity{}, false, nil
		}
		token, ok, err := tokens.Lookup(r.Context(), strings.TrimSpace(secret))
		if err != nil || !ok {
			return Identity{}, false, err
		}
		who := Identity{
			Firm: token.Firm, Staff: token.Staff, Contact: token.Contact, Rights: token.Rights, Credential: token.ID.String(),
		}
		if account := r.Header.Get(AccountHeader); account != "" {
			who.Strict = true
			_ = who.Account.UnmarshalText([]byte(account)) // what is no id is nobody's
		}
		return who, true, nil
	}
}

// Need refuses credentials without a right.
func Need(right string, problem Problem) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if scope := From(r.Context()); scope == nil || !scope.May(right) {
				problem(w, r, &domain.Fault{Kind: domain.Forbidden, Code: "token-scope", Message: "This token lacks the scope " + right + ". Use one that has it."})
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// clip shortens text to whole characters in at most n bytes.
func clip(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "")
	}
	return strings.ToValidUTF8(s[:n], "")
}
