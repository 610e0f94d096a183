package imports

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/bojanz/currency"

	"github.com/atrium-portal/atrium/domain"
)

// splitAmount takes an amount as people write it apart ("$1,234.50", "$-142.85", "($400.00)", "1 234,50 €", "USD 7"):
// its sign, its digits with separators, and the mark of its currency, if it has one.
func splitAmount(text string) (negative bool, digits, mark string, err error) {
	first, last := strings.IndexAny(text, "0123456789"), strings.LastIndexAny(text, "0123456789")
	if first < 0 {
		return false, "", "", fmt.Errorf("%q is not an amount", shorten(text, 30))
	}
	outside := text[:first] + text[last+1:]
	negative = strings.ContainsAny(outside, "-−") || strings.Contains(text[:first], "(") && strings.Contains(text[last+1:], ")")
	drop := func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("'’", r) { // spaces and apostrophes only group digits
			return -1
		}
		return r
	}
	mark = strings.Map(func(r rune) rune {
		if strings.ContainsRune("()-−+", r) {
			return -1
		}
		return drop(r)
	}, outside)
	digits = strings.Map(drop, text[first:last+1])
	if strings.ContainsFunc(digits, func(r rune) bool { return !strings.ContainsRune("0123456789.,", r) }) {
		err = fmt.Errorf("%q is not an amount", shorten(text, 30))
	}
	return negative, digits, mark, err
}

// plain writes digits with separators as a plain decimal. One separator before exactly three digits is ambiguous: a
// comma groups thousands, a point does so only in a currency that has no smaller unit.
func plain(digits string, places uint8) string {
	comma, point := strings.Count(digits, ","), strings.Count(digits, ".")
	group, decimal := ",", "."
	switch {
	case comma > 0 && point > 0:
		if strings.LastIndex(digits, ",") > strings.LastIndex(digits, ".") {
			group, decimal = ".", ","
		}
	case comma == 1:
		if thousand := len(digits)-strings.Index(digits, ",") == 4; !thousand || places == 3 {
			group, decimal = ".", ","
		}
	case point > 1, point == 1 && places == 0 && len(digits)-strings.Index(digits, ".") == 4:
		group, decimal = ".", ","
	}
	return strings.Replace(strings.ReplaceAll(digits, group, ""), decimal, ".", 1)
}

// amount reads an amount in a currency. One marked as another currency is an error, and so is one that is finer than
// the currency: nothing is rounded.
func amount(text, code string) (domain.Money, error) {
	negative, digits, mark, err := splitAmount(text)
	if err != nil {
		return domain.Money{}, err
	}
	if mark != "" && !slices.Contains(marked(mark), code) {
		return domain.Money{}, fmt.Errorf("%q is not in %s, the currency of this client", shorten(text, 30), code)
	}
	places, _ := currency.GetDigits(code)
	m, err := domain.ParseMoney(plain(digits, places), code)
	if err != nil {
		return domain.Money{}, fmt.Errorf("%q is not an amount in %s", shorten(text, 30), code)
	}
	if negative {
		m.Amount = -m.Amount
	}
	return m, nil
}

// number reads a bare number: a price, a quantity, a percentage.
func number(text string) (domain.Decimal, error) {
	negative, digits, mark, err := splitAmount(strings.TrimSuffix(text, "%"))
	if err != nil || mark != "" {
		return 0, fmt.Errorf("%q is not a number", shorten(text, 30))
	}
	d, err := domain.ParseDecimal(plain(digits, 2))
	if err != nil {
		return 0, fmt.Errorf("%q is not a number with at most six decimal places", shorten(text, 30))
	}
	if negative {
		d = -d
	}
	return d, nil
}

// marked lists the currencies that a sign or code can stand for, the likeliest first.
func marked(mark string) []string {
	if code := strings.ToUpper(mark); domain.KnownCurrency(code) {
		return []string{code}
	}
	switch mark {
	case "$":
		return []string{"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP"}
	case "US$":
		return []string{"USD"}
	case "C$", "CA$":
		return []string{"CAD"}
	case "A$", "AU$":
		return []string{"AUD"}
	case "NZ$":
		return []string{"NZD"}
	case "S$":
		return []string{"SGD"}
	case "HK$":
		return []string{"HKD"}
	case "R$":
		return []string{"BRL"}
	case "€":
		return []string{"EUR"}
	case "£":
		return []string{"GBP", "EGP"}
	case "¥", "\uffe5":
		return []string{"JPY", "CNY"}
	case "Fr", "Fr.", "SFr.":
		return []string{"CHF"}
	case "kr", "kr.", "Kr", "Kr.":
		return []string{"SEK", "NOK", "DKK", "ISK"}
	case "zł":
		return []string{"PLN"}
	case "Kč":
		return []string{"CZK"}
	case "Ft":
		return []string{"HUF"}
	case "₹":
		return []string{"INR"}
	case "₺":
		return []string{"TRY"}
	case "₪":
		return []string{"ILS"}
	case "₩":
		return []string{"KRW"}
	case "₱":
		return []string{"PHP"}
	case "฿":
		return []string{"THB"}
	case "₦":
		return []string{"NGN"}
	case "R":
		return []string{"ZAR"}
	default:
		return nil
	}
}

// currencyOf tells the currency of marked amounts: the firm's where the mark fits it or there is none.
func currencyOf(firm string, texts ...string) (string, error) {
	for _, text := range texts {
		_, _, mark, err := splitAmount(text)
		if err != nil || mark == "" {
			continue
		}
		codes := marked(mark)
		switch {
		case slices.Contains(codes, firm):
			return firm, nil
		case len(codes) > 0:
			return codes[0], nil
		default:
			return "", fmt.Errorf("the currency of %q is not known", shorten(text, 30))
		}
	}
	return firm, nil
}

// times is price × quantity in a currency, rounded once, half away from zero: for prices finer than the currency.
func times(price, quantity domain.Decimal, code string) (domain.Money, error) {
	places, _ := currency.GetDigits(code)
	num := new(big.Int).Mul(big.NewInt(int64(price)), big.NewInt(int64(quantity)))
	num.Mul(num, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	return divided(num, new(big.Int).Mul(big.NewInt(int64(domain.One)), big.NewInt(int64(domain.One))), code)
}

// share is the part of an amount that belongs to part of a whole, rounded like times. A whole of nothing has no parts.
func share(whole, part, of domain.Money) (domain.Money, error) {
	if of.Amount == 0 {
		return whole.Zero(), nil
	}
	num := new(big.Int).Mul(big.NewInt(whole.Amount), big.NewInt(part.Amount))
	return divided(num, big.NewInt(of.Amount), whole.Currency)
}

func divided(num, den *big.Int, code string) (domain.Money, error) {
	negative := num.Sign()*den.Sign() < 0
	num, den = num.Abs(num), den.Abs(den)
	q, r := num.QuoRem(num, den, new(big.Int))
	if r.Lsh(r, 1).Cmp(den) >= 0 {
		q.Add(q, big.NewInt(1))
	}
	if negative {
		q.Neg(q)
	}
	if !q.IsInt64() {
		return domain.Money{}, errors.New("the amount is too large")
	}
	return domain.Money{Amount: q.Int64(), Currency: code}, nil
}

// dateLayout finds the one way in which the dates of a file are written. Dates that can be read with the day or with
// the month first, and mean something else each time, are an error.
func dateLayout(dates []string) (string, error) {
	const monthFirst, dayFirst = "1/2/2006", "2/1/2006"
	layouts := []string{time.DateOnly, "2006/1/2", monthFirst, dayFirst, "2.1.2006", "Jan 2, 2006", "January 2, 2006", "2 Jan 2006", "2-Jan-2006"}
	best, most := layouts[0], 0
	fits := map[string]int{}
	for _, layout := range layouts {
		for _, d := range dates {
			if _, err := time.Parse(layout, d); err == nil {
				fits[layout]++
			}
		}
		if fits[layout] > most {
			best, most = layout, fits[layout]
		}
	}
	if best != monthFirst || fits[dayFirst] < fits[monthFirst] {
		return best, nil
	}
	for _, d := range dates {
		a, errA := time.Parse(monthFirst, d)
		b, errB := time.Parse(dayFirst, d)
		if errA == nil && errB == nil && !a.Equal(b) {
			return "", fmt.Errorf("dates such as %s can be read with the day or with the month first: export them as YYYY-MM-DD", d)
		}
	}
	return best, nil
}

// date reads a date; empty text is no date.
func date(text, layout string) (domain.Date, error) {
	if text == "" {
		return domain.Date{}, nil
	}
	t, err := time.Parse(layout, text)
	if err != nil || t.Year() < 1900 {
		return domain.Date{}, fmt.Errorf("%q is not a date", shorten(text, 30))
	}
	return domain.DateOf(t, time.UTC), nil
}
