package portal

import (
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// amountOr is an amount in a cell; nothing is a dash.
func (l look) amountOr(m domain.Money) templ.Component {
	if m.Amount == 0 {
		return ui.Muted("–")
	}
	return ui.Amount(m, l.Format)
}

// orElse is a text, or another one where there is none.
func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// hinted is a field that says what to write.
func hinted(f ui.Field, hint string) ui.Field {
	f.Hint = hint
	return f
}

// optional is a field that may stay empty.
func optional(f ui.Field) ui.Field {
	f.Optional = true
	return f
}

// dateOr is the date of an instant; none when there is no instant.
func dateOr(at time.Time, zone *time.Location) domain.Date {
	if at.IsZero() {
		return domain.Date{}
	}
	return domain.DateOf(at, zone)
}

// ofSigners says how many have signed.
func ofSigners(c readapi.Contract) string {
	return strconv.Itoa(c.SignedCount) + " of " + strconv.Itoa(c.SignerCount)
}

// paper leads to a document as a PDF file; nothing where there are none.
func (v *visit) paper(path, label string) *ui.Link {
	if !v.Papers {
		return nil
	}
	return &ui.Link{Label: label, Href: "/api/v1/" + path, Icon: "download"}
}

// dateValue is a date as a field holds it; nothing for none.
func dateValue(d domain.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}
