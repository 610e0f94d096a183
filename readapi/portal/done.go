package portal

import (
	"net/http"
	"strings"

	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// doneTexts say what was just done, on the page that follows. They are named by a word in a cookie, so that nobody can
// make a page say what they please.
var doneTexts = map[string]string{
	"saved":      "Saved.",
	"questioned": "Your question has been sent. You find the answer with the invoice.",
	"signed":     "Thank you. Your signature is stored.",
	"withdrawn":  "Your consent to sign electronically is withdrawn.",
	"declined":   "You have declined the contract.",

	"payment-cancelled": "The payment is given up. Nothing was taken.",
}

// doneCookie carries the word for one page.
const doneCookie = "atrium-done"

const laterMark = ".later"

// say has the next page say what was done. later adds that pages do not show it yet.
func (v *visit) say(done string, later bool) {
	if done == "" {
		return
	}
	if later {
		done += laterMark
	}
	http.SetCookie(v.w, v.doneCookie(done, 60))
}

func (v *visit) doneCookie(value string, seconds int) *http.Cookie {
	return &http.Cookie{
		Name: doneCookie, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(v.PublicURL, "https://"),
	}
}

// done is what was said, once. A page that is fetched again because something changed leaves it to the next one.
func (v *visit) done() []ui.Flash {
	if v.w == nil || v.r.Header.Get(auth.RefreshHeader) != "" {
		return nil
	}
	cookie, err := v.r.Cookie(doneCookie)
	if err != nil {
		return nil
	}
	http.SetCookie(v.w, v.doneCookie("", -1))
	word, later := strings.CutSuffix(cookie.Value, laterMark)
	text, known := doneTexts[word]
	if !known {
		if text, known = staffDoneTexts[word]; !known {
			return nil
		}
	}
	if later {
		text += " It takes a little while until every page shows it."
	}
	return []ui.Flash{{Tone: ui.Good, Text: text}}
}
