package domain

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Personal is text about a person: a name, an address, a phone number, free text, a network address. In memory it
// is plain; in a stored event it is sealed under the key of its data subject. Logs never show it.
type Personal struct {
	text   string
	erased bool
	sealed *sealedText // as decoded, before it is opened

	revealed bool // marshals as plain text: see RevealJSON
}

// sealedText is the stored form of a Personal: whose key seals it, nonce and ciphertext of salt and text, and a
// commitment SHA-256(salt || text), which binds the ciphertext to one text and lets one field be disclosed without
// giving the key away.
type sealedText struct {
	Subject    string `json:"k"`
	Ciphertext []byte `json:"c"`
	Commitment []byte `json:"h"`
	// Field is the path the text was sealed at, written only by an upcaster that moves it.
	Field string `json:"f,omitempty"`
}

// P makes a Personal of plain text.
func P(text string) Personal { return Personal{text: text} }

// Reveal gives the plain text; it is empty after erasure.
func (p Personal) Reveal() string { return p.text }

// After is the text with words before it (" as Ana"), or nothing when there is no text (any more), for sentences.
func (p Personal) After(words string) string {
	if p.text == "" {
		return ""
	}
	return words + p.text
}

// Erased reports whether the key of its subject was destroyed.
func (p Personal) Erased() bool { return p.erased }

// IsZero reports whether there is no text, for omitzero.
func (p Personal) IsZero() bool { return p.text == "" && p.sealed == nil && !p.erased }

// Equal compares the plain text.
func (p Personal) Equal(other Personal) bool { return p.text == other.text && p.erased == other.erased }

// String hides the text, so that printing a struct never leaks it.
func (p Personal) String() string { return "[personal]" }

// GoString hides the text from %#v.
func (p Personal) GoString() string { return p.String() }

// LogValue hides the text from logs.
func (p Personal) LogValue() slog.Value { return slog.StringValue("[personal]") }

var (
	errUnsealed = errors.New("personal text must be sealed by the codec before it is stored")
	errMoved    = errors.New("personal text was moved to another field, and not by an upcaster")
)

// MarshalJSON writes the sealed form; plain text is an error, so that it cannot reach the log by accident.
func (p Personal) MarshalJSON() ([]byte, error) {
	switch {
	case p.revealed:
		return json.Marshal(p.text)
	case p.sealed != nil:
		return json.Marshal(p.sealed)
	case p.text == "":
		return []byte("null"), nil
	default:
		return nil, errUnsealed
	}
}

// UnmarshalJSON reads plain text from a command (a string), or the sealed form from a stored event (an object).
func (p *Personal) UnmarshalJSON(b []byte) error {
	*p = Personal{}
	if bytes.HasPrefix(b, []byte("{")) {
		p.sealed = new(sealedText)
		return decodeStored(b, p.sealed)
	}
	return json.Unmarshal(b, &p.text)
}

// Keyring holds one AES-256 key per data subject. Implementations are safe for concurrent use and cache.
type Keyring interface {
	// SealingKey returns the subject's key, making it (durably, before it returns) when there is none. A destroyed
	// key is ErrErased.
	SealingKey(firm ID, subject string) ([]byte, error)
	// OpeningKey returns the subject's key; ErrErased when it was destroyed.
	OpeningKey(subject string) ([]byte, error)
}

// ErrErased says that the key of a data subject was destroyed: the person was erased.
var ErrErased = errors.New("the key of this data subject was destroyed")

const saltSize = 32

// seal encrypts text under the subject's key. aad binds the ciphertext to its place (firm, stream, event, field).
func seal(keys Keyring, random io.Reader, firm ID, subject, aad, text string) (*sealedText, error) {
	key, err := keys.SealingKey(firm, subject)
	if errors.Is(err, ErrErased) {
		return nil, errors.Join(Refuse("person-erased", "This person's data was erased. Nothing personal about them can be recorded any more."), err)
	}
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", subject, err)
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	fresh := make([]byte, gcm.NonceSize()+saltSize, gcm.NonceSize()+saltSize+len(text)+gcm.Overhead())
	if _, err := io.ReadFull(random, fresh); err != nil {
		return nil, fmt.Errorf("random bytes: %w", err)
	}
	nonce := fresh[:gcm.NonceSize():gcm.NonceSize()]
	plain := append(append(make([]byte, 0, saltSize+len(text)), fresh[gcm.NonceSize():]...), text...)
	sum := sha256.Sum256(plain)
	return &sealedText{Subject: subject, Ciphertext: gcm.Seal(nonce, nonce, plain, []byte(aad)), Commitment: sum[:]}, nil
}

// open decrypts; it fails when the place, the field, the key or a byte is not the one it was sealed with.
func (s *sealedText) open(keys Keyring, place, field string) (Personal, error) {
	plain, err := s.plain(keys, place, field)
	if errors.Is(err, ErrErased) {
		return Personal{erased: true, sealed: s}, nil
	}
	if err != nil {
		return Personal{}, err
	}
	return Personal{text: string(plain[saltSize:])}, nil
}

// plain is the salt and the text; ErrErased when the key is gone.
func (s *sealedText) plain(keys Keyring, place, field string) ([]byte, error) {
	if s.Field != "" {
		field = s.Field
	}
	key, err := keys.OpeningKey(s.Subject)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", s.Subject, err)
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	if len(s.Ciphertext) < gcm.NonceSize() {
		return nil, errors.New("personal text: too short")
	}
	plain, err := gcm.Open(nil, s.Ciphertext[:gcm.NonceSize()], s.Ciphertext[gcm.NonceSize():], []byte(place+field))
	if err != nil || len(plain) < saltSize {
		return nil, errors.New("personal text does not belong to this place or was changed")
	}
	if sum := sha256.Sum256(plain); subtle.ConstantTimeCompare(sum[:], s.Commitment) != 1 {
		return nil, errors.New("personal text does not match its commitment")
	}
	return plain, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Commitment is the stored SHA-256 commitment in base64, for evidence; empty for plain text.
func (p Personal) Commitment() string {
	if p.sealed == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(p.sealed.Commitment)
}
