package eventnode

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

// minPassword is how many bytes a password has at least. Nothing slows down guessing, so it must not be short.
const minPassword = 12

// checkExposure refuses to be reached from other machines without TLS and passwords, and passwords without TLS, because clients
// send them over TLS only.
func (o Options) checkExposure() error {
	switch {
	case (o.CertFile == "") != (o.KeyFile == ""):
		return errors.New("the event node needs a certificate and its key; name both with --tls-cert and --tls-key, or none")
	case len(o.Users) > 0 && o.CertFile == "":
		return errors.New("the event node has users but no TLS, and clients send passwords over TLS only; add --tls-cert and --tls-key")
	case !o.local() && (o.CertFile == "" || len(o.Users) == 0):
		return fmt.Errorf("the event node does not listen on %s without TLS and a password, because other machines reach it there; add --tls-cert, --tls-key, --user and --password-file, or choose a loopback address such as %s", o.Listen, DefaultListen)
	}
	for name, password := range o.Users {
		switch {
		case name == "" || strings.Contains(name, ":"):
			return fmt.Errorf("the event node cannot have a user called %q; choose a name without a colon", name)
		case len(password) < minPassword:
			return fmt.Errorf("the password of the event node's user %s is too short; give it at least %d characters", name, minPassword)
		}
	}
	return nil
}

// local tells whether only this machine reaches the address.
func (o Options) local() bool {
	if strings.HasPrefix(o.Listen, socketPrefix) {
		return true
	}
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return true // refused by listen
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// certified loads the certificate for each connection, so that a renewed one needs no restart. It is nil without TLS.
func (o Options) certified() (credentials.TransportCredentials, error) {
	if o.CertFile == "" {
		return nil, nil
	}
	load := func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		return &pair, err
	}
	if _, err := load(nil); err != nil {
		return nil, fmt.Errorf("the event node's certificate cannot be used: %w; name a certificate and its key in PEM form with --tls-cert and --tls-key", err)
	}
	return credentials.NewTLS(&tls.Config{GetCertificate: load, MinVersion: tls.VersionTLS12}), nil
}

// users are the hashed passwords of those who may read and write; with none, everybody may who can connect.
type users map[string][sha256.Size]byte

func newUsers(passwords map[string]string) users {
	u := users{}
	for name, password := range passwords {
		u[name] = sha256.Sum256([]byte(password))
	}
	return u
}

// admit checks the password of a call.
func (u users) admit(ctx context.Context) error {
	if len(u) == 0 {
		return nil
	}
	for _, header := range metadata.ValueFromIncomingContext(ctx, "authorization") {
		encoded, ok := strings.CutPrefix(header, "Basic ")
		if !ok {
			continue
		}
		text, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			continue
		}
		name, password, _ := strings.Cut(string(text), ":")
		want, known := u[name]
		given := sha256.Sum256([]byte(password))
		if subtle.ConstantTimeCompare(want[:], given[:]) == 1 && known {
			return nil
		}
	}
	return refuse(codes.Unauthenticated, "Unauthenticated: the user or the password is wrong.")
}
