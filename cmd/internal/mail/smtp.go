package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// SMTP hands messages to a mail server.
type SMTP struct {
	client *gomail.Client
	from   *netmail.Address
}

var errSMTP = errors.New("the mail server is named like smtp://user:password@mail.example.com:587 or smtps://…:465")

// NewSMTP makes a transport for a server named smtp://user:password@host:587, which must offer STARTTLS unless it is on
// this machine, or smtps://user:password@host:465. from is the sender, such as "North Studio <portal@north.example>".
func NewSMTP(server, from string) (*SMTP, error) {
	sender, err := netmail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("the sender of mails %q is not an address such as portal@north.example", from)
	}
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		return nil, errSMTP
	}
	options := []gomail.Option{gomail.WithTimeout(20 * time.Second), gomail.WithoutNoop()}
	port := 587
	switch u.Scheme {
	case "smtp":
		policy := gomail.TLSMandatory
		if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
			policy = gomail.TLSOpportunistic
		}
		options = append(options, gomail.WithTLSPolicy(policy))
	case "smtps":
		port = 465
		options = append(options, gomail.WithSSL())
	default:
		return nil, errSMTP
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, errSMTP
		}
	}
	options = append(options, gomail.WithPort(port))
	if u.User != nil {
		password, _ := u.User.Password()
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	client, err := gomail.NewClient(u.Hostname(), options...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSMTP, err)
	}
	return &SMTP{client, sender}, nil
}

// Send implements Transport.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg, err := compose(m, s.from)
	if err != nil {
		return err
	}
	return s.client.DialAndSendWithContext(ctx, msg)
}
