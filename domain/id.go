package domain

import (
	"crypto/sha256"
	"strings"

	"github.com/google/uuid"
)

// ID names one thing for ever: a UUID, written in lower case with dashes. The zero ID means "none".
type ID = uuid.UUID

// NoID is the zero ID.
var NoID ID

// space keeps our derived ids apart from those of any other user of UUIDv5.
var space = uuid.MustParse("b1c6f7a2-5d0e-4c39-9a57-6e1f0a7d2c11")

// NewID returns a fresh UUIDv7; it sorts by time of creation. Only edges call it: decisions derive their ids.
func NewID() ID { return uuid.Must(uuid.NewV7()) }

// DeriveID names something after its cause: the same parts always give the same id.
func DeriveID(parts ...string) ID {
	return uuid.NewSHA1(space, []byte(strings.Join(parts, "\x00")))
}

// childID derives the id of a new thing from the command that makes it. A version 7 parent passes on its time,
// so that the child sorts like a fresh id; any other parent gives a plain hash.
func childID(parent ID, name string) ID {
	if parent.Version() != 7 {
		return DeriveID(parent.String(), name)
	}
	sum := sha256.Sum256(append(parent[:], name...))
	child := parent
	copy(child[6:], sum[:10])
	child[6] = child[6]&0x0f | 0x70
	child[8] = child[8]&0x3f | 0x80
	return child
}

// StreamName is the name of the stream that holds the facts of one thing: "category-id".
func StreamName(category string, id ID) string { return category + "-" + id.String() }

// ParseStream splits a stream name into category and id; ok is false when it is not one of ours, spelled our way.
func ParseStream(stream string) (category string, id ID, ok bool) {
	category, rest, found := strings.Cut(stream, "-")
	if !found {
		return "", NoID, false
	}
	id, err := uuid.Parse(rest)
	return category, id, err == nil && id.String() == rest
}
