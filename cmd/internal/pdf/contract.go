package pdf

import (
	"strconv"
	"strings"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
)

// Contract draws a contract, the signatures under it, and a page that certifies them.
func (Documents) Contract(p *readapi.ContractPaper) ([]byte, error) {
	zone, err := time.LoadLocation(p.Parties.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	at := p.CompletedAt
	for _, one := range append(signedAt(p), p.SentAt) { // of a contract that is not complete yet: what came last
		if p.CompletedAt.IsZero() && at.Before(one) {
			at = one
		}
	}
	from := readapi.Seller{Name: p.Parties.Firm, Address: p.Parties.FirmAddress, Color: p.Parties.Color}
	s := begin(p.Title, from.Name, at, parseColor(from.Color))
	s.stamp = map[string]string{"draft": "DRAFT", "void": "VOID", "declined": "DECLINED"}[p.Status]
	s.page()
	s.letterhead(from, "WITH", readapi.Buyer{Name: p.Parties.Client, Address: p.Parties.ClientAddress}, p.Title, contractFacts(p, zone)...)
	s.prose(p.Body)
	s.signatures(p, zone)
	if !p.SentAt.IsZero() {
		s.certificate(p, zone)
	}
	return s.end(joined(" · ", from.Name, p.Title))
}

func signedAt(p *readapi.ContractPaper) (times []time.Time) {
	for _, one := range p.Signers {
		times = append(times, one.SignedAt, one.DeclinedAt)
	}
	return append(times, p.EndedAt)
}

func contractFacts(p *readapi.ContractPaper, zone *time.Location) []fact {
	day := func(t time.Time) string { return date(domain.DateOf(t, zone)) }
	facts := []fact{{"Status", status(p.Status)}}
	if !p.SentAt.IsZero() {
		facts = append(facts, fact{"Sent", day(p.SentAt)})
	}
	if !p.CompletedAt.IsZero() {
		facts = append(facts, fact{"Completed", day(p.CompletedAt)})
	}
	return facts
}

func status(s string) string {
	switch s {
	case "complete":
		return "Signed by everybody"
	case "sent":
		return "Waits for signatures"
	case "":
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// signatures writes a field for each signer, two beside each other.
func (s *sheet) signatures(p *readapi.ContractPaper, zone *time.Location) {
	const gap, height = 12.0, 36.0
	column := (width - gap) / 2
	s.section("Signatures")
	for i, one := range p.Signers {
		if i%2 == 0 {
			s.need(height)
		}
		x, base := left+float64(i%2)*(column+gap), s.y+21
		switch {
		case one.Drawing != "":
			s.drawing(x, s.y+3, column*0.8, 17, one.Drawing)
		case !one.SignedAt.IsZero():
			f := face{italic, 17, ink}
			s.text(x+1, base-2.5, f, s.fit(f, one.SignedAs, column-2))
		case !one.DeclinedAt.IsZero():
			s.text(x+1, base-2.5, body.in(soft), "Declined")
		default:
			s.text(x+1, base-2.5, body.in(soft), "Not signed yet")
		}
		s.rule(x, x+column, base, ink)
		name, below := one.SignedAs, ""
		if one.SignedAt.IsZero() {
			name = one.Name
		} else {
			_, below = instant(one.SignedAt, zone)
		}
		s.text(x, base+4.6, body.bold(), s.fit(body.bold(), name, column))
		s.text(x, base+9, small, joined(" · ", "for "+p.Parties.Client, below))
		if i%2 == 1 || i == len(p.Signers)-1 {
			s.down(height)
		}
	}
}

// drawing writes a signature of moves and lines in a field of 600 by 180 into a box.
func (s *sheet) drawing(x, y, w, h float64, path string) {
	scale := min(w/600, h/180)
	s.pdf.SetDrawColor(ink[0], ink[1], ink[2])
	s.pdf.SetLineWidth(0.45)
	s.pdf.SetLineCapStyle("round")
	s.pdf.SetLineJoinStyle("round")
	begun := false
	for part := range strings.SplitSeq(strings.NewReplacer("M", "|M", "L", "|L").Replace(path), "|") {
		if part == "" {
			continue
		}
		across, down, _ := strings.Cut(part[1:], " ")
		px, err1 := strconv.Atoi(across)
		py, err2 := strconv.Atoi(down)
		if err1 != nil || err2 != nil || part[0] != 'M' && !begun {
			continue
		}
		begun = true
		if part[0] == 'M' {
			s.pdf.MoveTo(x+float64(px)*scale, y+float64(py)*scale)
		} else {
			s.pdf.LineTo(x+float64(px)*scale, y+float64(py)*scale)
		}
	}
	if begun {
		s.pdf.DrawPath("D")
	}
}

// certificate says who signed what, when and from where, and where that can be verified.
func (s *sheet) certificate(p *readapi.ContractPaper, zone *time.Location) {
	s.letter, s.stamp = nil, ""
	s.page()
	s.text(left, s.y+2, face{bold, 18, s.accent}, "Certificate of signature")
	s.down(8)
	s.lines(left, width, body.in(soft), "Made from the record of this contract, to which entries are only ever added. Nothing in it is changed or taken away.")
	s.down(4)
	utc, local := instant(p.SentAt, zone)
	s.entries(
		fact{"Contract", p.Title}, fact{"Between", p.Parties.Firm + " and " + p.Parties.Client}, fact{"Record", "contract-" + p.ID.String()},
		fact{"Status", status(p.Status)}, fact{"Sent", utc + "  ·  " + local},
	)
	if !p.CompletedAt.IsZero() {
		utc, local = instant(p.CompletedAt, zone)
		s.entries(fact{"Completed", utc + "  ·  " + local})
	}
	s.entries(fact{"SHA-256 of the text", p.SHA256})
	if p.Seal != "" {
		s.entries(fact{"Seal", p.Seal})
	}
	for i, one := range p.Signers {
		s.signer(p, i, one, zone)
	}
	s.section("How to verify")
	text := "The SHA-256 above is that of the title, an empty line and the text, exactly as they were sent. Whoever has the text can work it out again; each signature names the same one."
	if p.Seal != "" {
		text += " The seal is the first one over the completed contract: how many entries the firm's log had, and a hash over all of them. The evidence bundle of the contract, which the firm and each signer can get, proves each entry to belong to it; the program atrium-verify checks that without a network, also whether this file is the one that was delivered."
	}
	if p.Verify != "" {
		text += " The contract and its whole history are at " + p.Verify + "."
	}
	s.lines(left, width, small, text)
}

func (s *sheet) signer(p *readapi.ContractPaper, i int, one readapi.PaperSigner, zone *time.Location) {
	name := one.SignedAs
	if name == "" {
		name = one.Name
	}
	s.need(58)
	s.section("Signer " + strconv.Itoa(i+1) + " of " + strconv.Itoa(len(p.Signers)) + ": " + name)
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		utc, local := instant(t, zone)
		return joined("  ·  ", utc, local)
	}
	for _, f := range []fact{
		{"Opened", joined("  ·  ", stamp(one.OpenedAt), signedIn(one.OpenedBy))},
		{"Told what it means", joined("  ·  ", stamp(one.DisclosedAt), textOf(one.Disclosure))},
		{"SHA-256 of what was told", one.DisclosureSHA256},
		{"Viewed", stamp(one.ViewedAt)},
		{"Read to the end", stamp(one.ReadAt)},
		{"Agreed to sign electronically", stamp(one.ConsentedAt)},
		{"Withdrew that", stamp(one.WithdrawnAt)},
	} {
		if f.value != "" {
			s.entries(f)
		}
	}
	if one.SignedAt.IsZero() {
		if !one.DeclinedAt.IsZero() {
			s.entries(fact{"Declined", stamp(one.DeclinedAt)})
		}
		return
	}
	how := "Typed the name"
	if one.Form == "drawn" {
		how = "Drew the signature and typed the name"
	}
	how += ", signed in to the client portal"
	if one.ProvedBy != "" {
		how += " by " + worded(one.ProvedBy)
	}
	s.entries(
		fact{"Signed", stamp(one.SignedAt)}, fact{"Name as written", one.SignedAs}, fact{"Agreed to", one.Statement}, fact{"Method", how},
	)
	if !one.ProvedAt.IsZero() {
		s.entries(fact{"Proved who they are", stamp(one.ProvedAt)})
	}
	if one.DrawingSHA256 != "" {
		s.entries(fact{"SHA-256 of the drawing", one.DrawingSHA256})
	}
	if one.IP != "" {
		s.entries(fact{"Network address", one.IP})
	}
	if one.UserAgent != "" {
		s.entries(fact{"Browser", one.UserAgent})
	}
	s.entries(fact{"SHA-256 that was signed", one.SHA256})
	if one.Event != domain.NoID {
		s.entries(fact{"Entry of the record", one.Event.String()})
	}
}

// signedIn says how somebody was signed in.
func signedIn(method string) string {
	if method == "" {
		return ""
	}
	return "signed in by " + worded(method)
}

// textOf names the version of what a signer was told.
func textOf(version string) string {
	if version == "" {
		return ""
	}
	return "text " + version
}

// worded is a name of the API as people read it.
func worded(name string) string { return strings.ReplaceAll(name, "_", " ") }

// entries writes names and values in two columns.
func (s *sheet) entries(list ...fact) {
	const column = 50.0
	for _, one := range list {
		f := face{"", 8.5, ink}
		if strings.HasPrefix(one.name, "SHA-256") || one.name == "Record" || one.name == "Entry of the record" || one.name == "Seal" {
			f = face{mono, 7.2, ink}
		}
		lines := s.wrap(f, one.value, width-column)
		s.need(float64(len(lines))*4.4 + 1.6)
		s.text(left, s.y+4, small, one.name)
		for _, line := range lines {
			s.text(left+column, s.y+4, f, line)
			s.y += 4.4
		}
		s.y += 1.2
	}
}
