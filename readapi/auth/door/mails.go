package door

import (
	"bytes"
	"embed"
	htmltemplate "html/template"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
)

//go:embed mails/*
var mailFiles embed.FS

// What is written to people: one text and one page for each mail. The templates have fixed places and no logic that
// data could reach.
var (
	mailTexts = template.Must(template.ParseFS(mailFiles, "mails/*.txt"))
	mailPages = htmltemplate.Must(htmltemplate.ParseFS(mailFiles, "mails/*.html"))
)

// mailData fills a mail.
type mailData struct {
	Firm    string
	Name    string // of whom it is written to; may be empty
	Heading string
	Lead    string
	Address string // of the button; empty: there is none
	Button  string
	Code    string // in two groups of four
	Lasts   string // how long it works
	SignIn  string // the address of the sign-in page
	Notice  string // what to do if it came unasked
}

// mailOfLink writes the mail that carries a link.
func (k *Keeper) mailOfLink(f Firm, p Person, l Link, address, code string) (Mail, error) {
	d := mailData{
		Firm: f.Name, Name: p.Name, Address: address, Code: code[:4] + " " + code[4:], Lasts: lasts(l.Expires.Sub(l.Created)),
		SignIn: k.address("/" + f.Slug + "/login"),
		Notice: "If you did not ask for this mail, you need not do anything: without it nobody can sign in as you.",
	}
	switch {
	case l.Purpose == access.Invitation:
		d.Heading, d.Button = "Welcome to the portal of "+f.Name, "Open the portal"
		d.Lead = f.Name + " has opened a portal for you: projects, contracts and invoices in one place."
		d.Notice = "If you do not know " + f.Name + ", you need not do anything."
	case l.Purpose == access.Reset:
		d.Heading, d.Button = "Set a new password", "Set a new password"
		d.Lead = "With this link you set a new password for the portal of " + f.Name + "."
	default:
		d.Heading, d.Button = "Sign in to "+f.Name, "Sign in"
		d.Lead = "With this link you sign in to the portal of " + f.Name + "."
	}
	return write("link", p, l, d)
}

// mailOfProof writes the mail that carries the code of a fresh proof.
func (k *Keeper) mailOfProof(f Firm, p Person, l Link, code string) (Mail, error) {
	return write("proof", p, l, mailData{
		Firm: f.Name, Name: p.Name, Heading: "Confirm that it is you", Code: code[:4] + " " + code[4:], Lasts: lasts(l.Expires.Sub(l.Created)),
		Lead:   "Type this code on the page where you were asked for it.",
		Notice: "If you did not ask for it, somebody else is signed in as you: tell " + f.Name + ", and sign out all other devices.",
		SignIn: k.address("/account/security"),
	})
}

func write(name string, p Person, l Link, d mailData) (Mail, error) {
	var text, page bytes.Buffer
	if err := mailTexts.ExecuteTemplate(&text, name+".txt", d); err != nil {
		return Mail{}, err
	}
	if err := mailPages.ExecuteTemplate(&page, name+".html", d); err != nil {
		return Mail{}, err
	}
	return Mail{
		ID: domain.DeriveID("mail", l.ID.String()), Firm: p.Firm, To: p.Email, Subject: oneLine(d.Heading), Text: text.String(), HTML: page.String(), NotAfter: l.Expires,
	}, nil
}

// oneLine keeps line ends out of a subject: what follows one would be another header.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// lasts says a duration in words.
func lasts(d time.Duration) string {
	d = d.Round(time.Minute)
	if d >= 48*time.Hour {
		return counted(int(d/(24*time.Hour)), "day", "days")
	}
	return counted(int(d/time.Minute), "minute", "minutes")
}

// counted says how many there are: "1 minute", "10 minutes".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
