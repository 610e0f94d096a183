package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Message is a mail to one person, with the same said as text and as a page.
type Message struct {
	ID      string // the same for each try
	To      string
	Subject string
	Text    string
	HTML    string // may be empty
	Created time.Time
	Tries   int // so far, this one included
}

// Transport sends a message, or says why not.
type Transport interface {
	Send(ctx context.Context, m Message) error
}

// Queue is where messages wait.
type Queue interface {
	// Take gives a message that is due, which nobody else gets meanwhile; ok is false when none is.
	Take(ctx context.Context) (m Message, ok bool, err error)
	// Sent forgets a message.
	Sent(ctx context.Context, id string) error
	// Failed keeps it for another try.
	Failed(ctx context.Context, id, why string, next time.Time) error
}

// Sender sends what waits.
type Sender struct {
	Queue     Queue
	Transport Transport
	Now       func() time.Time
	Logger    *slog.Logger
}

// Run sends what waits, and looks every so often for more, until ctx ends.
func (s Sender) Run(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := s.SendAll(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Error("mail cannot be sent now and waits", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// SendAll sends until nothing is due. A message that fails does not hold up the others; only a queue that fails is an
// error.
func (s Sender) SendAll(ctx context.Context) error {
	for {
		m, ok, err := s.Queue.Take(ctx)
		if err != nil || !ok {
			return err
		}
		if err := s.Transport.Send(ctx, m); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			next := pause(m.Tries)
			s.Logger.Warn("mail not sent, will be tried again", "mail", m.ID, "tries", m.Tries, "in", next, "error", err)
			if err := s.Queue.Failed(ctx, m.ID, err.Error(), s.Now().Add(next)); err != nil {
				return err
			}
			continue
		}
		if err := s.Queue.Sent(ctx, m.ID); err != nil {
			return err
		}
	}
}

// pause is how long to wait after a number of tries: 10 s, 20 s, 40 s … one hour.
func pause(tries int) time.Duration {
	return min(10*time.Second<<min(max(tries-1, 0), 10), time.Hour)
}

var errHeader = errors.New("a subject or an address must not hold line ends")

// compose makes the mail that is sent. from is an address, with a name or without.
func compose(m Message, from *netmail.Address) (*gomail.Msg, error) {
	if strings.ContainsAny(m.To+m.Subject+m.ID, "\r\n") {
		return nil, errHeader
	}
	_, host, _ := strings.Cut(from.Address, "@")
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(from.Name, from.Address); err != nil {
		return nil, fmt.Errorf("the sender's address: %w", err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("the address of mail %s is none that mail can be sent to", m.ID)
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.Created)
	msg.SetMessageIDWithValue(m.ID + "@" + host)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no vacation notice, please
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, nil
}
