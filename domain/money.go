package domain

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/bojanz/currency"
)

// Money is an amount in the minor units of a currency (cents, yen, fils) with its ISO 4217 code. Amounts of
// different currencies never mix; there are no floats.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// maxAmount bounds every amount we accept (ten trillion minor units), far below where sums could overflow.
const maxAmount = 10_000_000_000_000

// KnownCurrency reports whether code is a currency in use.
func KnownCurrency(code string) bool { return code != "" && currency.IsValid(code) }

// Add returns m + other. Both must be of one currency; callers check with Same.
func (m Money) Add(other Money) Money { return Money{m.Amount + other.Amount, m.Currency} }

// Sub returns m - other, of one currency.
func (m Money) Sub(other Money) Money { return Money{m.Amount - other.Amount, m.Currency} }

// Zero is no money in m's currency.
func (m Money) Zero() Money { return Money{0, m.Currency} }

// String gives the amount with grouping, decimals and code, the same in every locale: "1,234.50 EUR".
func (m Money) String() string {
	digits, known := currency.GetDigits(m.Currency)
	if !known {
		digits = 2
	}
	sign, n := "", m.Amount
	if n < 0 {
		sign, n = "-", -n
	}
	s := strconv.FormatInt(n, 10)
	if pad := int(digits) + 1 - len(s); pad > 0 {
		s = strings.Repeat("0", pad) + s
	}
	whole, fraction := s[:len(s)-int(digits)], s[len(s)-int(digits):]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction + " " + m.Currency
}

// ParseMoney reads a plain decimal ("1234.50", optional minus sign) in a currency. More decimals than the currency has
// are an error: nothing is rounded on the way in.
func ParseMoney(text, code string) (Money, error) {
	digits, known := currency.GetDigits(code)
	if !known {
		return Money{}, fmt.Errorf("%q is not a currency code", code)
	}
	d, err := ParseDecimal(text)
	if err != nil {
		return Money{}, err
	}
	scale := int64(1)
	for range decimalPlaces - int(digits) {
		scale *= 10
	}
	if int64(d)%scale != 0 {
		return Money{}, fmt.Errorf("%s has no amounts as fine as %s", code, text)
	}
	return Money{int64(d) / scale, code}, nil
}

// Decimal is an exact decimal number with six places, stored as millionths: quantities, tax rates in percent.
// On the wire it is a JSON string or number ("1.5"); it is always written as a string.
type Decimal int64

const decimalPlaces = 6

// One is the Decimal 1.
const One Decimal = 1_000_000

// ErrDecimal is wrapped by every failure to read a Decimal.
var ErrDecimal = errors.New("not a decimal number with at most six places")

// ParseDecimal reads digits with an optional minus sign and point. No exponents, no NaN, at most twelve digits before
// the point and six places after it (further zeros are allowed).
func ParseDecimal(s string) (Decimal, error) {
	bad := fmt.Errorf("%q is %w", s, ErrDecimal)
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, pointed := strings.Cut(digits, ".")
	fraction = strings.TrimRight(fraction, "0")
	if whole == "" || len(whole) > 12 || len(fraction) > decimalPlaces || pointed && strings.HasSuffix(s, ".") {
		return 0, bad
	}
	n := int64(0)
	for _, c := range whole + fraction + strings.Repeat("0", decimalPlaces-len(fraction)) {
		if c < '0' || c > '9' {
			return 0, bad
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return Decimal(n), nil
}

// String gives the shortest exact form: "1.5", "19", "-0.25".
func (d Decimal) String() string {
	sign, n := "", int64(d)
	if n < 0 {
		sign, n = "-", -n
	}
	s := fmt.Sprintf("%d.%06d", n/1_000_000, n%1_000_000)
	return sign + strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// MarshalJSON writes a string, so that no reader turns it into a float.
func (d Decimal) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// UnmarshalJSON reads a string or a number.
func (d *Decimal) UnmarshalJSON(b []byte) (err error) {
	s := string(b)
	if len(s) >= 2 && s[0] == '"' {
		s = s[1 : len(s)-1]
	}
	*d, err = ParseDecimal(s)
	return err
}

// Times multiplies money by a decimal factor and rounds once, half away from zero. It is the only place where an
// amount is rounded. ok is false when the result is beyond what we accept.
func (m Money) Times(factor Decimal) (product Money, ok bool) {
	return m.muldiv(int64(factor), int64(One))
}

// Percent is rate percent of m, rounded once like Times.
func (m Money) Percent(rate Decimal) (part Money, ok bool) {
	return m.muldiv(int64(rate), 100*int64(One))
}

// muldiv is m*num/den with a 128 bit product, rounded half away from zero. den is positive.
func (m Money) muldiv(num, den int64) (Money, bool) {
	negative := (m.Amount < 0) != (num < 0)
	hi, lo := bits.Mul64(magnitude(m.Amount), magnitude(num))
	lo, carry := bits.Add64(lo, uint64(den)/2, 0)
	hi += carry
	if hi >= uint64(den) {
		return Money{}, false
	}
	quotient, _ := bits.Div64(hi, lo, uint64(den))
	if quotient > maxAmount {
		return Money{}, false
	}
	n := int64(quotient)
	if negative {
		n = -n
	}
	return Money{n, m.Currency}, true
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Money checks an amount given in a command: a known currency (the one wanted, when want is not empty), between
// low and ten trillion minor units.
func (c *Checks) Money(m Money, field, want string, low int64) {
	c.That(KnownCurrency(m.Currency), field+".currency", "currency-unknown", "Give a currency code such as EUR.")
	c.That(want == "" || m.Currency == want, field+".currency", "currency-mismatch", "Use "+want+", the currency of this account.")
	c.That(m.Amount >= low && m.Amount <= maxAmount, field+".amount", "amount-out-of-range", "Give an amount of at least "+Money{low, m.Currency}.String()+".")
}
