package domain_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
)

func TestAsFault(t *testing.T) {
	refused := domain.Refuse("invoice-not-sent", "Send the invoice first.")
	for _, err := range []error{refused, fmt.Errorf("deciding: %w", refused), errors.Join(errors.New("disk"), refused)} {
		if domain.AsFault(err) != refused {
			t.Errorf("no fault in %v", err)
		}
	}
	internal := domain.AsFault(errors.New("pq: password authentication failed"))
	if internal.Kind != domain.Internal || strings.Contains(internal.Error(), "password") {
		t.Errorf("a foreign error shows its detail: %v", internal)
	}
	if f := domain.Missing("invoice"); f.Kind != domain.NotFound || f.Message != "There is no such invoice." {
		t.Error(f)
	}
}

func TestFaultError(t *testing.T) {
	f := &domain.Fault{Code: "a", Field: "name", Message: "One.", More: []*domain.Fault{{Code: "b", Message: "Two."}}}
	if got := f.Error(); got != "a (name): One.; b: Two." {
		t.Error(got)
	}
}

func TestChecksCollectEverythingInOrder(t *testing.T) {
	var v domain.Checks
	if err := v.Err(); err != nil {
		t.Fatal("nothing checked, and a fault:", err)
	}
	v.Text("fine", "title", 10)
	v.Text(" ", "contact.name", 10)
	v.Email("x", "email")
	v.That(false, "role", "role-unknown", "Give a role.")
	f := domain.AsFault(v.Err())
	if f.Kind != domain.Invalid || f.Code != "contact.name-required" || f.Field != "contact.name" || f.Message != "Fill in the contact name." {
		t.Errorf("%+v", f)
	}
	if len(f.More) != 2 || f.More[0].Code != "email-invalid" || f.More[1].Code != "role-unknown" {
		t.Errorf("%v", f.More)
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"Ana": "", "Ana Lima\n\tBerlin\r\n": "", "äöü €": "", "": "name-required", " \n\t": "name-required", "0123456789012345678": "name-too-long",
		"ääääääääääääää": "", "a\x00b": "name-characters", "a\x1bb": "name-characters", "a\x7fb": "name-characters", "a\u0085b": "name-characters",
		"a\xffb": "name-characters", "a\uFFFDb": "name-characters",
	} {
		var v domain.Checks
		v.Text(text, "name", 18)
		if got := code(v.Err()); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return domain.AsFault(err).Code
}

func TestEmail(t *testing.T) {
	for _, ok := range []string{"ana@lima.example", "a.b+c@sub.lima.example", "ANA@Lima.Example", "änne@müller.example", "o'hara@lima.example"} {
		var v domain.Checks
		v.Email(ok, "email")
		if v.Err() != nil {
			t.Errorf("%s is refused", ok)
		}
	}
	for _, bad := range []string{
		"", "ana", "@lima.example", "ana@", "ana@lima", "ana@.example", "ana@lima.", "a@b@lima.example", "ana lima@lima.example", "ana@lima .example",
		"Ana <ana@lima.example>", "a@lima.example,b@lima.example", "ana@lima.example\r\nBcc: all@lima.example", "ana\x00@lima.example", "ana\xff@lima.example",
		strings.Repeat("a", 250) + "@l.example",
	} {
		var v domain.Checks
		v.Email(bad, "email")
		if code(v.Err()) != "email-invalid" {
			t.Errorf("%q passes", bad)
		}
	}
}

// Nothing that a database or a mail header chokes on gets through a check.
func TestWhatPassesIsReadable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes")) + rapid.StringN(0, 10, -1).Draw(t, "runes")
		odd := strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\n\t\r", r) }) || !validText(text)
		var v domain.Checks
		v.OptionalText(text, "note", 1000)
		if (v.Err() != nil) != odd {
			t.Fatalf("%q: %v", text, v.Err())
		}
		var e domain.Checks
		e.Email("a"+text+"@lima.example", "email")
		if e.Err() == nil && (odd || strings.ContainsAny(text, "\r\n \t")) {
			t.Fatalf("%q passes in an e-mail address", text)
		}
	})
}

func validText(s string) bool {
	return strings.ToValidUTF8(s, "") == s && !strings.ContainsRune(s, '\uFFFD')
}

func TestFoldEmail(t *testing.T) {
	if got := domain.FoldEmail("  Ana@Lima.Example\n"); got != "ana@lima.example" {
		t.Error(got)
	}
}

func TestReplace(t *testing.T) {
	name, other := "Ana", ""
	domain.Replace(&name, nil)
	if name != "Ana" {
		t.Error("nothing replaced the name by", name)
	}
	domain.Replace(&name, &other)
	if name != "" {
		t.Error("the name is still", name)
	}
}
