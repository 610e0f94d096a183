package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
)

// leafHeader starts every leaf and names its encoding; another encoding gets another header.
const leafHeader = "portal-audit-leaf/v1\n"

// Leaf is what the log holds of one event.
type Leaf struct {
	Epoch          string // of the log: it changes when a log must start over
	Stream         string
	Revision       int64 // 0-based, in its stream
	EventID        domain.ID
	Type           string    // wire name
	Data, Metadata [32]byte  // SHA-256 of the bytes as stored
	Previous       tlog.Hash // of the stream's previous event; zero at revision 0
}

// LeafOf describes a stored event. previous is the leaf hash of the event before it in its stream.
func LeafOf(epoch string, r domain.Recorded, previous tlog.Hash) Leaf {
	return Leaf{
		Epoch: epoch, Stream: r.Stream, Revision: r.Revision, EventID: r.ID, Type: r.Type,
		Data: sha256.Sum256(r.Data), Metadata: sha256.Sum256(r.Metadata), Previous: previous,
	}
}

// Bytes is the encoding that is hashed, where lp(x) is the length of x as 32 bits, then x, and numbers are
// big-endian:
//
//	"portal-audit-leaf/v1\n" lp(epoch) lp(stream) revision(64 bits) event id(16 bytes) lp(type) data(32) metadata(32) previous(32)
func (l Leaf) Bytes() []byte {
	b := make([]byte, 0, len(leafHeader)+3*4+len(l.Epoch)+len(l.Stream)+8+16+len(l.Type)+3*32)
	b = append(b, leafHeader...)
	b = appendText(b, l.Epoch)
	b = appendText(b, l.Stream)
	b = binary.BigEndian.AppendUint64(b, uint64(l.Revision))
	b = append(b, l.EventID[:]...)
	b = appendText(b, l.Type)
	b = append(b, l.Data[:]...)
	b = append(b, l.Metadata[:]...)
	return append(b, l.Previous[:]...)
}

func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

// Hash is the leaf's hash in the Merkle log.
func (l Leaf) Hash() tlog.Hash { return tlog.RecordHash(l.Bytes()) }

var errLeaf = errors.New("not a leaf: its bytes are not in the form portal-audit-leaf/v1")

// ParseLeaf reads what Bytes wrote and nothing else: encoding the leaf again gives the same bytes.
func ParseLeaf(b []byte) (Leaf, error) {
	rest, ok := bytes.CutPrefix(b, []byte(leafHeader))
	if !ok {
		return Leaf{}, errLeaf
	}
	var l Leaf
	take := func(n uint64) []byte {
		if ok = ok && n <= uint64(len(rest)); !ok {
			return make([]byte, min(n, 32))
		}
		taken := rest[:n]
		rest = rest[n:]
		return taken
	}
	takeText := func() string { return string(take(uint64(binary.BigEndian.Uint32(take(4))))) }

	l.Epoch = takeText()
	l.Stream = takeText()
	revision := binary.BigEndian.Uint64(take(8))
	copy(l.EventID[:], take(16))
	l.Type = takeText()
	copy(l.Data[:], take(32))
	copy(l.Metadata[:], take(32))
	copy(l.Previous[:], take(32))
	if !ok || len(rest) > 0 || revision > math.MaxInt64 {
		return Leaf{}, errLeaf
	}
	l.Revision = int64(revision)
	return l, nil
}
