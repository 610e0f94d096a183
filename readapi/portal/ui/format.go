package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

const (
	noBreak       = "\u00a0"
	narrowNoBreak = "\u202f"
	minus         = "\u2212"
)

// separators are what stands between groups of three digits and before the decimals, for a firm's number format
// ("1,234.56", "1.234,56", "1 234,56", "1'234.56"). Anything else is written like the first.
func separators(format string) (group, point string) {
	switch format {
	case "1.234,56":
		return ".", ","
	case "1 234,56":
		return narrowNoBreak, ","
	case "1'234.56":
		return "'", "."
	default:
		return ",", "."
	}
}

// Money writes an amount with its currency as people of the firm read it: "1.234,50 EUR". The parts do not break
// apart at the end of a line, and amounts below zero have a real minus sign.
func Money(m domain.Money, format string) string {
	return amountText(m, format, minus) + noBreak + m.Currency
}

// AmountText writes an amount without its currency, as one types it into a form: "1.234,50". ParseAmount reads it
// again.
func AmountText(m domain.Money, format string) string {
	return strings.ReplaceAll(amountText(m, format, "-"), narrowNoBreak, " ")
}

func amountText(m domain.Money, format, minus string) string {
	number, _, _ := strings.Cut(m.String(), " ")
	number, negative := strings.CutPrefix(number, "-")
	group, point := separators(format)
	whole, part, has := strings.Cut(number, ".")
	if number = strings.ReplaceAll(whole, ",", group); has {
		number += point + part
	}
	if negative {
		number = minus + number
	}
	return number
}

// NumberText writes a quantity or a rate: "1,5". Quantities are not grouped.
func NumberText(d domain.Decimal, format string) string {
	_, point := separators(format)
	return strings.Replace(strings.Replace(d.String(), ".", point, 1), "-", minus, 1)
}

// Percent writes a tax rate: "19 %".
func Percent(d domain.Decimal, format string) string { return NumberText(d, format) + noBreak + "%" }

// ParseAmount reads what somebody typed as an amount of a currency, in the firm's number format. The marks between
// groups may be left out, and may be spaces in any format, but where one stands three digits must follow: so an
// amount that is typed in another country's format is refused and never read as a thousand times too much.
func ParseAmount(text, currency, format string) (domain.Money, error) {
	plain, ok := plainNumber(text, format)
	if !ok {
		example := AmountText(domain.Money{Amount: 123450, Currency: "EUR"}, format)
		return domain.Money{}, fmt.Errorf("%q is not an amount; write it like %s", text, example)
	}
	return domain.ParseMoney(plain, currency)
}

// ParseNumber reads what somebody typed as a quantity or a rate, in the firm's number format.
func ParseNumber(text, format string) (domain.Decimal, error) {
	plain, ok := plainNumber(text, format)
	if !ok {
		return 0, fmt.Errorf("%q is not a number; write it like %s", text, NumberText(1_500_000, format))
	}
	return domain.ParseDecimal(plain)
}

// plainNumber turns what was typed into digits with a minus sign and a point.
func plainNumber(text, format string) (plain string, ok bool) {
	group, point := separators(format)
	text = strings.NewReplacer(noBreak, " ", narrowNoBreak, " ", "\u2019", "'", minus, "-").Replace(strings.TrimSpace(text))
	if group == narrowNoBreak {
		group = " "
	}
	text = strings.ReplaceAll(text, " ", group)
	sign := ""
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		sign, text = "-", rest
	}
	whole, fraction, pointed := strings.Cut(text, point)
	groups := strings.Split(whole, group)
	for i, digits := range groups {
		if digits == "" || i > 0 && len(digits) != 3 || i == 0 && len(groups) > 1 && len(digits) > 3 || !onlyDigits(digits) {
			return "", false
		}
	}
	if !onlyDigits(fraction) || pointed && fraction == "" {
		return "", false
	}
	plain = sign + strings.Join(groups, "")
	if pointed {
		plain += "." + fraction
	}
	return plain, true
}

func onlyDigits(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// DateText writes a date so that no reader can take the day for the month: "6 March 2026". No date is a dash.
func DateText(d domain.Date) string {
	if d.IsZero() {
		return "–"
	}
	return d.Time().Format("2\u00a0January\u00a02006")
}

// shortDate writes a date for lists: "6 Mar 2026".
func shortDate(d domain.Date) string { return d.Time().Format("2\u00a0Jan\u00a02006") }

// TimeText writes an instant as the people of a zone see it, with the zone: "6 Mar 2026, 15:05 CET".
func TimeText(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(zone).Format("2\u00a0Jan\u00a02006, 15:04\u00a0MST")
}

// Initials are the first letters of the first and the last word of a name, for an avatar: "PK" for "Priya Kapoor".
func Initials(name string) string {
	words := strings.Fields(name)
	if len(words) == 0 {
		return "?"
	}
	first := func(word string) string {
		for _, r := range word {
			return strings.ToUpper(string(r))
		}
		return ""
	}
	if len(words) == 1 {
		return first(words[0])
	}
	return first(words[0]) + first(words[len(words)-1])
}
