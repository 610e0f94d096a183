package firm

import (
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // time zones are part of the program, so that a decision is the same on every machine

	"github.com/atrium-portal/atrium/domain"
)

// Settings are the firm's choices, all of them.
type Settings struct {
	Name         string `json:"name"`      // the firm's trading name: public, on every page and document
	Currency     string `json:"currency"`  // offered for new accounts; each account has its own
	TimeZone     string `json:"time_zone"` // IANA name: "Europe/Berlin". Says what "today" is
	NumberFormat string `json:"number_format"`
	// Address, TaxID and PaymentDetails (bank and account) stand on documents, and so do the two colours of the firm,
	// #rrggbb. All are public.
	Address        string `json:"address,omitempty"`
	TaxID          string `json:"tax_id,omitempty"`
	PaymentDetails string `json:"payment_details,omitempty"`
	PrimaryColor   string `json:"primary_color,omitempty"`
	AccentColor    string `json:"accent_color,omitempty"`
	// InvoicePrefix stands before invoice numbers: "INV-" makes INV-7.
	InvoicePrefix string `json:"invoice_prefix"`
	// ModulesOff are the parts of the portal that no client gets; sorted, each once.
	ModulesOff []domain.Module `json:"modules_off,omitempty"`
	// ShowUnreleasedInvoices lets clients see that an invoice is being drafted.
	ShowUnreleasedInvoices bool `json:"show_unreleased_invoices"`
	// ShowHistory lets clients see the history of what they may see.
	ShowHistory bool `json:"show_history"`
	// DefaultAudience is who sees a new document when its author does not say.
	DefaultAudience Audience `json:"default_audience"`
	// RequireSecondFactorForClients lets clients in only with a second factor, which they set up at their next sign-in.
	RequireSecondFactorForClients bool `json:"require_second_factor_for_clients,omitempty"`
	// ClientSessionDays is after how many days without use a client has to sign in again, 30 at most; 0 means 30.
	ClientSessionDays int `json:"client_session_days,omitempty"`
}

// maxSessionDays is how long clients may stay signed in without use.
const maxSessionDays = 30

// Location is the firm's time zone, for Meta.Zone; UTC when the firm has none.
func (s Settings) Location() *time.Location {
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Audience is who of an account's contacts sees a document.
type Audience string

// The audiences.
const (
	Permitted Audience = "permitted" // all contacts with the permission for that kind of document
	Named     Audience = "named"     // only those named as recipients
)

// NumberFormats lists how numbers may be written for people, by example. The first is the default.
func NumberFormats() []string { return []string{"1,234.56", "1.234,56", "1 234,56", "1'234.56"} }

// check notes what is wrong with the settings.
func (s Settings) check(v *domain.Checks) {
	v.Text(s.Name, "name", 200)
	v.That(domain.KnownCurrency(s.Currency), "currency", "currency-unknown", "Give a currency code such as EUR.")
	// LoadLocation reads a table that is compiled in. "" and "Local" would load too, but name no zone.
	_, err := time.LoadLocation(s.TimeZone)
	v.That(err == nil && s.TimeZone != "" && s.TimeZone != "Local", "time_zone", "time-zone-unknown", "Give a time zone such as Europe/Berlin.")
	v.That(slices.Contains(NumberFormats(), s.NumberFormat), "number_format", "number-format-unknown",
		"Give one of the number formats "+strings.Join(NumberFormats(), " or ")+".")
	v.OptionalText(s.InvoicePrefix, "invoice_prefix", 20)
	v.Modules(s.ModulesOff, "modules_off")
	v.OptionalText(s.Address, "address", 500)
	v.OptionalText(s.TaxID, "tax_id", 50)
	v.OptionalText(s.PaymentDetails, "payment_details", 500)
	v.That(isColor(s.PrimaryColor), "primary_color", "color-invalid", "Give a colour such as #1f5f5b.")
	v.That(isColor(s.AccentColor), "accent_color", "color-invalid", "Give a colour such as #b4632a.")
	v.That(s.ClientSessionDays >= 0 && s.ClientSessionDays <= maxSessionDays, "client_session_days", "session-days-invalid", "Give 1 to 30 days.")
	v.That(s.DefaultAudience == Permitted || s.DefaultAudience == Named, "default_audience", "audience-unknown", "Give permitted or named.")
}

// isColor reports whether text is #rrggbb, or nothing.
func isColor(text string) bool {
	hex := func(r rune) bool { return r >= '0' && r <= '9' || r >= 'a' && r <= 'f' }
	return text == "" || len(text) == 7 && text[0] == '#' && !strings.ContainsFunc(text[1:], func(r rune) bool { return !hex(r) })
}

const maxSlug = 40

// slugOf makes a slug of a firm's name, with fallback where nothing of the name can be kept.
func slugOf(name, fallback string) string {
	spelled := strings.NewReplacer(
		"ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "æ", "ae", "ø", "oe", "å", "a", "ñ", "n", "ç", "c",
		"á", "a", "à", "a", "â", "a", "ã", "a", "é", "e", "è", "e", "ê", "e", "ë", "e", "í", "i", "ì", "i", "î", "i", "ï", "i",
		"ó", "o", "ò", "o", "ô", "o", "õ", "o", "ú", "u", "ù", "u", "û", "u", "&", " and ", "'", "", "’", "",
	).Replace(strings.ToLower(name))
	words := strings.FieldsFunc(spelled, func(r rune) bool { return !slugRune(r) || r == '-' })
	slug := strings.Join(words, "-")
	slug = strings.TrimRight(slug[:min(len(slug), maxSlug)], "-")
	if slug == "" || reservedSlug(slug) {
		return fallback
	}
	return slug
}

// checkSlug notes what is wrong with a slug that was given.
func checkSlug(v *domain.Checks, slug string) {
	ok := slug != "" && len(slug) <= maxSlug && !strings.ContainsFunc(slug, func(r rune) bool { return !slugRune(r) }) &&
		!strings.HasPrefix(slug, "-") && !strings.HasSuffix(slug, "-")
	v.That(ok, "slug", "slug-invalid", "Use lower-case letters, digits and dashes, such as north-studio.")
	v.That(!reservedSlug(slug), "slug", "slug-reserved", "Choose another one: this address has a use of its own.")
}

func slugRune(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' }

// reservedSlug reports whether /{slug} is a page of the program's own.
func reservedSlug(slug string) bool {
	return slices.Contains([]string{
		"account", "api", "assets", "clients", "contracts", "dev", "healthz", "history", "invoices", "login", "logos", "logout", "metrics", "payments", "people",
		"profile", "projects", "readyz", "reset", "staff", "statement", "static", "webhooks", "welcome",
	}, slug)
}
