package pdf

import (
	"strings"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

const noBreak = "\u00a0"

// numbers is how a firm writes numbers, by example: "1,234.56", "1.234,56", "1 234,56" or "1'234.56".
type numbers string

func (n numbers) separators() (group, point string) {
	switch n {
	case "1.234,56":
		return ".", ","
	case "1 234,56":
		return noBreak, ","
	case "1'234.56":
		return "'", "."
	}
	return ",", "."
}

// amount is an amount without its currency.
func (n numbers) amount(m domain.Money) string {
	text, _, _ := strings.Cut(m.String(), " ")
	group, point := n.separators()
	return strings.Replace(strings.NewReplacer(",", group, ".", point).Replace(text), "-", "\u2212", 1)
}

// money is an amount with its currency.
func (n numbers) money(m domain.Money) string { return n.amount(m) + noBreak + m.Currency }

// number is a quantity or a rate.
func (n numbers) number(d domain.Decimal) string {
	_, point := n.separators()
	return strings.Replace(strings.Replace(d.String(), ".", point, 1), "-", "\u2212", 1)
}

func (n numbers) percent(d domain.Decimal) string { return n.number(d) + noBreak + "%" }

// date writes a date so that no reader can take the day for the month.
func date(d domain.Date) string {
	if d.IsZero() {
		return "–"
	}
	return d.Time().Format("2 January 2006")
}

// shortDate is for columns.
func shortDate(d domain.Date) string {
	if d.IsZero() {
		return "–"
	}
	return d.Time().Format("2 Jan 2006")
}

// instant is a time in UTC and where the firm is.
func instant(t time.Time, zone *time.Location) (utc, local string) {
	if t.IsZero() {
		return "–", ""
	}
	return t.UTC().Format("2 Jan 2006, 15:04:05 UTC"), t.In(zone).Format("2 Jan 2006, 15:04:05 MST")
}

// method says how money came.
func method(m string) string {
	switch m {
	case "card":
		return "Card"
	case "bank_transfer":
		return "Bank transfer"
	case "cash":
		return "Cash"
	case "cheque":
		return "Cheque"
	case "direct_debit":
		return "Direct debit"
	}
	return "Other"
}

// oneLine is an address on one line.
func oneLine(text string) string {
	var parts []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, " · ")
}

// joined is what is there of some texts.
func joined(between string, texts ...string) string {
	var parts []string
	for _, t := range texts {
		if t != "" {
			parts = append(parts, t)
		}
	}
	return strings.Join(parts, between)
}
