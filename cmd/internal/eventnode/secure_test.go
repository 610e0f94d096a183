package eventnode

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

const goodPassword = "correct horse battery"

// certificate writes a certificate for 127.0.0.1 that vouches for itself.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "node"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "node.crt"), filepath.Join(dir, "node.key")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert},
		keyFile:  {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func secured(t *testing.T) (n *Node, caFile string) {
	t.Helper()
	cert, key := certificate(t)
	// Every interface, as other machines would reach it.
	return started(t, Options{Listen: "0.0.0.0:0", CertFile: cert, KeyFile: key, Users: map[string]string{"atrium": goodPassword}}), cert
}

// dial makes an official client for the node under the address of the certificate.
func dial(t *testing.T, n *Node, credentials, settings string) *esdb.Client {
	t.Helper()
	_, port, err := net.SplitHostPort(n.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conf, err := esdb.ParseConnectionString("esdb://" + credentials + "127.0.0.1:" + port + "?maxDiscoverAttempts=1&" + settings)
	if err != nil {
		t.Fatal(err)
	}
	conf.Logger = esdb.NoopLogging()
	c, err := esdb.NewClient(conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestUsersReadAndWriteOverTLS(t *testing.T) {
	n, ca := secured(t)
	if !strings.Contains(n.URL(), "?tls=true") {
		t.Errorf("URL %s", n.URL())
	}
	c := dial(t, n, "atrium:correct%20horse%20battery@", "tlsCAFile="+ca)
	appendTo(t, c, "s", esdb.NoStream{}, names("e", 3)...)
	if got := readStream(t, c, "s", esdb.ReadStreamOptions{}); len(got) != 3 {
		t.Errorf("%d events", len(got))
	}
	expect(t, toAll(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}}), "e0", "e1", "e2", "caught up")
}

func TestWrongPasswordsAreRefused(t *testing.T) {
	n, ca := secured(t)
	for name, credentials := range map[string]string{
		"none":           "",
		"wrong password": "atrium:wrong@",
		"wrong user":     "nobody:correct%20horse%20battery@",
	} {
		c := dial(t, n, credentials, "tlsCAFile="+ca)
		if err := appendFails(t, c, "s", esdb.Any{}, named("e")); code(err) != esdb.ErrorCodeUnauthenticated {
			t.Errorf("%s: append: %v", name, err)
		}
		read, err := c.ReadAll(soon(t), esdb.ReadAllOptions{}, 1)
		if _, err = all(t, read, err); code(err) != esdb.ErrorCodeUnauthenticated {
			t.Errorf("%s: read: %v", name, err)
		}
		if sub, err := c.SubscribeToAll(soon(t), esdb.SubscribeToAllOptions{}); code(err) != esdb.ErrorCodeUnauthenticated {
			t.Errorf("%s: subscription: %v, %v", name, sub, err)
		}
		if _, err := c.TombstoneStream(soon(t), "s", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); code(err) != esdb.ErrorCodeUnauthenticated {
			t.Errorf("%s: tombstone: %v", name, err)
		}
	}
	if s, err := n.Stats(); err != nil || s.Events != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestWrongCertificatesAreRefused(t *testing.T) {
	n, _ := secured(t)
	other, _ := certificate(t)
	for name, settings := range map[string]string{
		"another authority": "tlsCAFile=" + other,
		"unknown authority": "tls=true",
		"no TLS":            "tls=false",
	} {
		c := dial(t, n, "atrium:correct%20horse%20battery@", settings)
		if err := appendFails(t, c, "s", esdb.Any{}, named("e")); code(err) == -1 && err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := n.Stats(); err != nil || s.Events != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestRenewedCertificateNeedsNoRestart(t *testing.T) {
	n, cert := secured(t)
	renewed, key := certificate(t)
	old := filepath.Dir(cert)
	for from, to := range map[string]string{renewed: filepath.Join(old, "node.crt"), key: filepath.Join(old, "node.key")} {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	appendTo(t, dial(t, n, "atrium:correct%20horse%20battery@", "tlsCAFile="+renewed), "s", esdb.NoStream{}, named("e"))
}

func TestInsecureSettingsAreRefused(t *testing.T) {
	cert, key := certificate(t)
	users := map[string]string{"atrium": goodPassword}
	for name, test := range map[string]struct {
		o    Options
		want string
	}{
		"neither":           {Options{Listen: "0.0.0.0:0"}, "without TLS and a password"},
		"no password":       {Options{Listen: "0.0.0.0:0", CertFile: cert, KeyFile: key}, "without TLS and a password"},
		"no TLS":            {Options{Listen: "0.0.0.0:0", Users: users}, "add --tls-cert and --tls-key"},
		"no TLS, loopback":  {Options{Listen: "127.0.0.1:0", Users: users}, "add --tls-cert and --tls-key"},
		"no key":            {Options{Listen: "127.0.0.1:0", CertFile: cert}, "name both with --tls-cert and --tls-key"},
		"short password":    {Options{Listen: "127.0.0.1:0", CertFile: cert, KeyFile: key, Users: map[string]string{"a": "short"}}, "at least 12 characters"},
		"odd name":          {Options{Listen: "127.0.0.1:0", CertFile: cert, KeyFile: key, Users: map[string]string{"a:b": goodPassword}}, "without a colon"},
		"not a certificate": {Options{Listen: "127.0.0.1:0", CertFile: key, KeyFile: cert}, "in PEM form"},
	} {
		test.o.Dir, test.o.Logger = t.TempDir(), slog.New(slog.DiscardHandler)
		n, err := Start(t.Context(), test.o)
		if err == nil {
			_ = n.Close()
			t.Errorf("%s: started", name)
			continue
		}
		if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
