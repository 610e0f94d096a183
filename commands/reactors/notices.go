package reactors

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/login"
)

// Letter is a mail to one person. A letter with the id of an earlier one is the same letter.
type Letter struct {
	ID      domain.ID
	Firm    domain.ID
	To      string
	Subject string
	Text    string
	HTML    string
	Created time.Time

	Kind   string      // in a word or two, for the record
	Person domain.ID   // who it goes to
	About  domain.Fact // that it tells of
}

// Post keeps letters until they are sent, each once.
type Post interface {
	Post(ctx context.Context, l Letter) error
}

// Notices tells people by mail when how they sign in was changed: whoever did it, they should know. When it is the
// address itself, the old one is told. Nobody can do without these. Clients are also told what is new with them, as far
// as each of them wants to hear it.
type Notices struct {
	Loop        *commands.Loop
	Codec       *domain.Codec
	Post        Post
	Readers     Readers
	Copies      Copies // nil: it is not recorded which file signers got
	Base        string // where people reach the portal, without a slash at its end
	Checkpoints Checkpoints
	Now         func() time.Time
}

// Name is the reactor's name in the checkpoint table; it never changes.
func (Notices) Name() string { return "notices" }

// stale is how old news may be: what is older nobody needs to hear, such as what an import tells.
const stale = 24 * time.Hour

// noticed are the events that somebody is told of.
var noticed = []string{
	contact.DetailsChanged{}.EventType(), access.PasswordSet{}.EventType(), access.SecondFactorAdded{}.EventType(), access.SecondFactorRemoved{}.EventType(),
	access.PasskeyAdded{}.EventType(), access.PasskeyRemoved{}.EventType(), access.RecoveryCodeUsed{}.EventType(),
}

// Handle posts the letters of a batch of events and moves the checkpoint behind it.
func (n Notices) Handle(ctx context.Context, batch []domain.Recorded) error {
	for _, r := range batch {
		tell := n.tell
		switch {
		case slices.Contains(newsTypes, r.Type):
			tell = n.spread
		case !slices.Contains(noticed, r.Type):
			continue
		}
		fact, err := n.Codec.Decode(r)
		if err == nil && n.Now().Sub(fact.Meta.Time) < stale {
			err = tell(ctx, fact)
		}
		if err != nil {
			return fmt.Errorf("notice of %s revision %d: %w", r.Stream, r.Revision, err)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return n.Checkpoints.SetCheckpoint(ctx, n.Name(), batch[len(batch)-1].Position)
}

// tell posts the letter that a fact calls for, if any.
func (n Notices) tell(ctx context.Context, f domain.Fact) error {
	to, what := "", notice{}
	if e, ok := f.Event.(contact.DetailsChanged); ok {
		if to = e.EmailBefore.Reveal(); to == "" {
			return nil
		}
		what = notice{Name: e.Name.Reveal(), Subject: "Your sign-in has another address", Text: "From now on you sign in with another e-mail address than this one."}
	} else {
		e := f.Event.(access.Event)
		p, ok, err := n.Loop.Person(ctx, f.Meta.Firm, login.HolderKind(e.Whose().PersonKind), e.Whose().Person)
		if err != nil || !ok || p.Email == "" {
			return err
		}
		if to, what = p.Email, about(e); what.Subject == "" {
			return nil
		}
		what.Name = p.Name
	}
	settings, _, err := commands.State(ctx, n.Loop, firm.Aggregate, f.Meta.Firm)
	if err != nil {
		return err
	}
	what.Firm = settings.Settings.Name
	letter, err := what.letter()
	if err != nil {
		return err
	}
	letter.ID, letter.Firm, letter.To, letter.Created = domain.DeriveID("notice", f.ID.String()), f.Meta.Firm, to, n.Now()
	letter.Kind, letter.Person, letter.About = "a change of the sign-in", whose(f), f
	return n.Post.Post(ctx, letter)
}

// whose is the person that a fact is about.
func whose(f domain.Fact) domain.ID {
	if e, ok := f.Event.(access.Event); ok {
		return e.Whose().Person
	}
	return f.Of
}

// notice is what a letter says.
type notice struct{ Name, Firm, Subject, Text string }

// about says what happened; empty for what nobody needs to be told of.
func about(e access.Event) notice {
	switch e := e.(type) {
	case access.PasswordSet:
		return notice{Subject: "Your password was set", Text: "A new password was set for your sign-in. All other devices were signed out."}
	case access.SecondFactorAdded:
		return notice{Subject: "Your sign-in has a second factor", Text: "An authenticator app protects your sign-in from now on."}
	case access.SecondFactorRemoved:
		return notice{Subject: "Your sign-in lost its second factor", Text: "The authenticator app that protected your sign-in was removed."}
	case access.PasskeyAdded:
		return notice{Subject: "A passkey was added", Text: "A new passkey opens the portal in your name."}
	case access.PasskeyRemoved:
		return notice{Subject: "A passkey was removed", Text: "One of your passkeys does not open the portal any more."}
	case access.RecoveryCodeUsed:
		return notice{Subject: "A recovery code was used", Text: "Somebody signed in as you with a recovery code. Codes left: " + strconv.Itoa(e.Left) + "."}
	case access.SignInLinkSent, access.SignedIn, access.SignInFailed, access.Visited, access.SignedOut, access.ProvedAgain, access.PasswordReset,
		access.OneTimePasswordSet, access.RecoveryCodesMade, access.PreviewStarted, access.PreviewEnded,
		access.AccountChosen:
	}
	return notice{}
}

//go:embed mails/*
var mailFiles embed.FS

var (
	noticeText = template.Must(template.ParseFS(mailFiles, "mails/notice.txt"))
	noticePage = htmltemplate.Must(htmltemplate.ParseFS(mailFiles, "mails/notice.html"))
)

func (n notice) letter() (l Letter, err error) {
	var text, page bytes.Buffer
	err = errors.Join(noticeText.Execute(&text, n), noticePage.Execute(&page, n))
	return Letter{Subject: strings.Join(strings.Fields(n.Subject), " "), Text: text.String(), HTML: page.String()}, err
}
