package evidence

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Kinds of keys in signed notes (c2sp.org/signed-note).
const (
	plainKey    = 1 // Ed25519 over the text
	cosignerKey = 4 // Ed25519 over the text and a time (c2sp.org/tlog-cosignature)
)

// LogSigner signs the checkpoints of the log named by origin with the Ed25519 key of a seed of 32 bytes.
func LogSigner(origin string, seed []byte) note.Signer {
	return signer{name: origin, kind: plainKey, key: ed25519.NewKeyFromSeed(seed)}
}

// PublicKey is the public half of the key of a seed.
func PublicKey(seed []byte) ed25519.PublicKey {
	return ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
}

// LogKey is the public key of the log named by origin, in the form in which notes name keys: name+hash+key.
func LogKey(origin string, public ed25519.PublicKey) string {
	return publicKey(origin, plainKey, public)
}

// Cosigner signs for a witness what it has seen, with the time at which it signs.
func Cosigner(name string, seed []byte, now func() time.Time) note.Signer {
	return signer{name: name, kind: cosignerKey, key: ed25519.NewKeyFromSeed(seed), now: now}
}

// CosignerKey is the public key of a witness, in the form in which notes name keys.
func CosignerKey(name string, public ed25519.PublicKey) string {
	return publicKey(name, cosignerKey, public)
}

type signer struct {
	name string
	kind byte
	key  ed25519.PrivateKey
	now  func() time.Time
}

func (s signer) Name() string    { return s.name }
func (s signer) KeyHash() uint32 { return keyHash(s.name, s.kind, s.key.Public().(ed25519.PublicKey)) }

func (s signer) Sign(text []byte) ([]byte, error) {
	if s.kind == plainKey {
		return ed25519.Sign(s.key, text), nil
	}
	at := uint64(s.now().Unix())
	return append(binary.BigEndian.AppendUint64(nil, at), ed25519.Sign(s.key, cosigned(at, text))...), nil
}

// cosigned is what a witness signs.
func cosigned(at uint64, text []byte) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatUint(at, 10)+"\n"), text...)
}

func keyHash(name string, kind byte, public ed25519.PublicKey) uint32 {
	sum := sha256.Sum256(append(append([]byte(name+"\n"), kind), public...))
	return binary.BigEndian.Uint32(sum[:])
}

func publicKey(name string, kind byte, public ed25519.PublicKey) string {
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, kind, public), base64.StdEncoding.EncodeToString(append([]byte{kind}, public...)))
}

// cosignerVerifier checks what a witness signed.
type cosignerVerifier struct {
	name   string
	hash   uint32
	public ed25519.PublicKey
}

func (v cosignerVerifier) Name() string    { return v.name }
func (v cosignerVerifier) KeyHash() uint32 { return v.hash }

func (v cosignerVerifier) Verify(text, sig []byte) bool {
	return len(sig) == 8+ed25519.SignatureSize && ed25519.Verify(v.public, cosigned(binary.BigEndian.Uint64(sig), text), sig[8:])
}

var errKey = errors.New("not a public key: it must be name+hash+key, as the log's or the witness's page shows it")

// NewVerifier checks signatures by a public key of a log or of a witness.
func NewVerifier(key string) (note.Verifier, error) {
	parts := strings.SplitN(key, "+", 3)
	if len(parts) != 3 {
		return nil, errKey
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return nil, errKey
	}
	if raw[0] == plainKey {
		return note.NewVerifier(key)
	}
	public := ed25519.PublicKey(raw[1:])
	if raw[0] != cosignerKey || key != CosignerKey(parts[0], public) {
		return nil, errKey
	}
	return cosignerVerifier{parts[0], keyHash(parts[0], cosignerKey, public), public}, nil
}

// Cosigned is when a witness signed a checkpoint; false when it did not.
func Cosigned(signed []byte, witness note.Verifier) (time.Time, bool) {
	n, err := note.Open(signed, note.VerifierList(witness))
	if err != nil || len(n.Sigs) != 1 {
		return time.Time{}, false
	}
	raw, err := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	if err != nil || len(raw) < 12 { // the key's hash comes first
		return time.Time{}, false
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC(), true
}
