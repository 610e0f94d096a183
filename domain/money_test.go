package domain_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
)

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]domain.Decimal{
		"0": 0, "1": 1_000_000, "-1": -1_000_000, "1.5": 1_500_000, "19": 19_000_000, "0.000001": 1, "-0.25": -250_000,
		"007": 7_000_000, "1.50000000000": 1_500_000, "999999999999.999999": 999_999_999_999_999_999, "-0": 0,
	} {
		if got, err := domain.ParseDecimal(text); err != nil || got != want {
			t.Errorf("%q: %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", " ", "-", ".", ".5", "5.", "5.0.", "1.2.3", "--1", "+1", "1e3", "1,5", " 1", "1 ", "0x1", "NaN", "Inf", "٣", "1.0000001",
		"1000000000000", "1_000", "1.-5",
	} {
		if got, err := domain.ParseDecimal(text); !errors.Is(err, domain.ErrDecimal) {
			t.Errorf("%q is read as %s (%v)", text, got, err)
		}
	}
}

func TestDecimalGoesAroundAsTextAndJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := domain.Decimal(rapid.Int64Range(-999_999_999_999_999_999, 999_999_999_999_999_999).Draw(t, "millionths"))
		if again, err := domain.ParseDecimal(d.String()); err != nil || again != d {
			t.Fatalf("%s became %s (%v)", d, again, err)
		}
		stored, err := json.Marshal(d)
		if err != nil || !strings.HasPrefix(string(stored), `"`) {
			t.Fatalf("%s: %v", stored, err)
		}
		for _, form := range []string{string(stored), d.String()} { // a string, and a number
			var again domain.Decimal
			if err := json.Unmarshal([]byte(form), &again); err != nil || again != d {
				t.Fatalf("%s became %s (%v)", form, again, err)
			}
		}
	})
}

func TestDecimalRefusesOtherJSON(t *testing.T) {
	for _, form := range []string{`"x"`, `1e3`, `true`, `{}`, `[1]`, `""`, `1.0000001`} {
		var d domain.Decimal
		if err := json.Unmarshal([]byte(form), &d); err == nil {
			t.Errorf("%s is read as %s", form, d)
		}
	}
}

func TestMoneyString(t *testing.T) {
	for want, m := range map[string]domain.Money{
		"0.00 EUR": {0, "EUR"}, "0.05 EUR": {5, "EUR"}, "-0.05 EUR": {-5, "EUR"}, "1.00 EUR": {100, "EUR"}, "999.99 EUR": {99_999, "EUR"},
		"1,000.00 EUR": {100_000, "EUR"}, "1,234,567.89 EUR": {123_456_789, "EUR"}, "-1,234.50 EUR": {-123_450, "EUR"},
		"1,234 JPY": {1234, "JPY"}, "0 JPY": {0, "JPY"}, "1.234 KWD": {1234, "KWD"}, "12.34 ???": {1234, "???"},
	} {
		if got := m.String(); got != want {
			t.Errorf("%d %s: %q, want %q", m.Amount, m.Currency, got, want)
		}
	}
}

func TestParseMoney(t *testing.T) {
	for _, c := range []struct {
		text, code string
		want       int64
	}{
		{"1234.50", "EUR", 123_450},
		{"-0.01", "USD", -1},
		{"7", "EUR", 700},
		{"7", "JPY", 7},
		{"7.00", "JPY", 7},
		{"1.234", "KWD", 1234},
		{"1.500", "EUR", 150},
	} {
		if got, err := domain.ParseMoney(c.text, c.code); err != nil || got != (domain.Money{Amount: c.want, Currency: c.code}) {
			t.Errorf("%s %s: %v (%v)", c.text, c.code, got, err)
		}
	}
	for _, c := range [][2]string{{"1.001", "EUR"}, {"1.5", "JPY"}, {"1.2345", "KWD"}, {"1", "EURO"}, {"1", ""}, {"1,5", "EUR"}, {"", "EUR"}} {
		if got, err := domain.ParseMoney(c[0], c[1]); err == nil {
			t.Errorf("%s %s is read as %v", c[0], c[1], got)
		}
	}
}

func TestMoneyGoesAroundAsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := domain.Money{
			Amount:   rapid.Int64Range(-999_999_999_999, 999_999_999_999).Draw(t, "amount"),
			Currency: rapid.SampledFrom([]string{"EUR", "USD", "JPY", "KWD"}).Draw(t, "currency"),
		}
		text := strings.ReplaceAll(strings.TrimSuffix(m.String(), " "+m.Currency), ",", "")
		if again, err := domain.ParseMoney(text, m.Currency); err != nil || again != m {
			t.Fatalf("%v became %v (%v)", m, again, err)
		}
	})
}

func TestRoundsHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		amount int64
		factor domain.Decimal
		want   int64
	}{
		{100, domain.One, 100},
		{1, 500_000, 1}, // 0.5
		{-1, 500_000, -1},
		{1, -500_000, -1},
		{-1, -500_000, 1},
		{1, 499_999, 0},
		{-1, 499_999, 0},
		{5, 500_000, 3}, // 2.5, where bankers would say 2
		{333, 3 * domain.One, 999},
		{0, domain.One, 0},
	} {
		if got, ok := (domain.Money{Amount: c.amount, Currency: "EUR"}).Times(c.factor); !ok || got.Amount != c.want || got.Currency != "EUR" {
			t.Errorf("%d times %s: %d (%v), want %d", c.amount, c.factor, got.Amount, ok, c.want)
		}
	}
	if got, ok := (domain.Money{Amount: 250, Currency: "EUR"}).Percent(19 * domain.One); !ok || got.Amount != 48 { // 47.5
		t.Errorf("19%% of 2.50 is %v", got)
	}
}

// half rounds half away from zero with numbers of any size.
func half(product *big.Int, den int64) *big.Int {
	twice := new(big.Int).Abs(product)
	twice.Mul(twice, big.NewInt(2)).Add(twice, big.NewInt(den)).Div(twice, big.NewInt(2*den))
	if product.Sign() < 0 {
		twice.Neg(twice)
	}
	return twice
}

func TestTimesAndPercentAreExact(t *testing.T) {
	limit := big.NewInt(10_000_000_000_000)
	rapid.Check(t, func(t *rapid.T) {
		m := domain.Money{Amount: rapid.Int64().Draw(t, "amount"), Currency: "EUR"}
		factor := domain.Decimal(rapid.Int64().Draw(t, "factor"))
		product := new(big.Int).Mul(big.NewInt(m.Amount), big.NewInt(int64(factor)))
		for den, f := range map[int64]func(domain.Decimal) (domain.Money, bool){1_000_000: m.Times, 100_000_000: m.Percent} {
			want := half(product, den)
			got, ok := f(factor)
			if within := new(big.Int).Abs(want).Cmp(limit) <= 0; ok != within {
				t.Fatalf("%d * %d / %d: ok %v, want %v", m.Amount, factor, den, ok, within)
			}
			if ok && (got.Amount != want.Int64() || got.Currency != "EUR") {
				t.Fatalf("%d * %d / %d is %v, want %v", m.Amount, factor, den, got, want)
			}
		}
	})
}

func TestExtremesDoNotOverflow(t *testing.T) {
	for _, amount := range []int64{math.MinInt64, math.MaxInt64} {
		for _, factor := range []domain.Decimal{math.MinInt64, math.MaxInt64} {
			if got, ok := (domain.Money{Amount: amount, Currency: "EUR"}).Times(factor); ok {
				t.Errorf("%d times %d gives %v", amount, factor, got)
			}
		}
	}
	if got, ok := (domain.Money{Amount: math.MinInt64, Currency: "EUR"}).Times(0); !ok || got.Amount != 0 {
		t.Error(got, ok)
	}
}

func TestSums(t *testing.T) {
	a, b := domain.Money{Amount: 500, Currency: "EUR"}, domain.Money{Amount: 700, Currency: "EUR"}
	if a.Add(b).Amount != 1200 || a.Sub(b).Amount != -200 || a.Zero() != (domain.Money{Currency: "EUR"}) {
		t.Fatal(a.Add(b), a.Sub(b), a.Zero())
	}
}

func TestMoneyChecks(t *testing.T) {
	for _, c := range []struct {
		m    domain.Money
		want string
		low  int64
		code string
	}{
		{domain.Money{Amount: 1, Currency: "EUR"}, "", 1, ""},
		{domain.Money{Amount: 1, Currency: "EUR"}, "EUR", 1, ""},
		{domain.Money{Amount: 10_000_000_000_000, Currency: "EUR"}, "EUR", 1, ""},
		{domain.Money{Amount: 1, Currency: "EU"}, "", 1, "currency-unknown price.currency"},
		{domain.Money{Amount: 1, Currency: "USD"}, "EUR", 1, "currency-mismatch price.currency"},
		{domain.Money{Amount: 0, Currency: "EUR"}, "", 1, "amount-out-of-range price.amount"},
		{domain.Money{Amount: 10_000_000_000_001, Currency: "EUR"}, "", 1, "amount-out-of-range price.amount"},
	} {
		var v domain.Checks
		v.Money(c.m, "price", c.want, c.low)
		got := ""
		if err := v.Err(); err != nil {
			f := domain.AsFault(err)
			got = f.Code + " " + f.Field
		}
		if got != c.code {
			t.Errorf("%v: %q, want %q", c.m, got, c.code)
		}
	}
}
