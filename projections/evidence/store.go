package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
)

// Log is the Merkle log of a firm in one epoch. Events whose metadata names no firm are in the log of domain.NoID.
type Log struct {
	ID      int64 // in the order in which logs were opened, from 1
	Firm    domain.ID
	Epoch   int    // from 1
	Key     int    // which of the installation's log keys signs it, from 1
	Opening []byte // of an epoch after the first: an Opening as JSON, the data of its first leaf
}

// Origin is the first line of the log's checkpoints.
func (l Log) Origin() string { return Origin(l.Firm, l.epoch()) }

func (l Log) epoch() string { return strconv.Itoa(l.Epoch) }

// FirmOf is the firm that an event belongs to, from its metadata as stored.
func FirmOf(r domain.Recorded) domain.ID {
	var metadata struct {
		Firm domain.ID `json:"firm"`
	}
	if json.Unmarshal(r.Metadata, &metadata) != nil {
		return domain.NoID
	}
	return metadata.Firm
}

// Ref names an event.
type Ref struct {
	Stream   string
	Revision int64 // 0-based
}

// SealedLeaf is a leaf as it is stored.
type SealedLeaf struct {
	Index int64 // 0-based, in its log
	Ref
	Hash tlog.Hash
}

// FoundLeaf is a leaf and the log it is in.
type FoundLeaf struct {
	Log   int64
	Epoch int
	Index int64
	Hash  tlog.Hash
}

// SealedCheckpoint is a checkpoint as it is stored.
type SealedCheckpoint struct {
	Size   int64
	Signed []byte // a note
	At     time.Time
}

// Head is the end of a log.
type Head struct {
	Log
	Leaves   int64            // how many there are, told by the last one
	Newest   SealedCheckpoint // none of a log without: Size is 0
	Cosigned SealedCheckpoint // the newest that the witness signed too, with its signature; none: Size is 0
}

// Standing is how far sealing has come.
type Standing struct {
	Version  int64           // rises with each change: the fence
	Position domain.Position // of the last event that is sealed
	At       time.Time       // of the last change
	Logs     int64           // the highest ID of a log
}

// Sealing is what one transaction adds.
type Sealing struct {
	Follows  int64 // version of the standing that it was made from
	Position domain.Position
	At       time.Time
	Logs     []Addition
}

// Addition is what is new of one log.
type Addition struct {
	Log        Log
	Opens      bool // the log is new
	Leaves     []SealedLeaf
	Nodes      []Node
	Checkpoint SealedCheckpoint
}

// ErrFenced says that somebody else sealed meanwhile: nothing was stored. Start over from the standing.
var ErrFenced = errors.New("somebody else sealed meanwhile; start over from the position sealed")

// Store keeps the logs. Nothing in it ever changes but the standing.
type Store interface {
	Tree
	// Standing reads how far sealing has come.
	Standing(ctx context.Context) (Standing, error)
	// Heads lists the ends of all logs by ID, all as they are at one moment.
	Heads(ctx context.Context) ([]Head, error)
	// Newest gives the end of a firm's newest log; false when it has none.
	Newest(ctx context.Context, firm domain.ID) (Head, bool, error)
	// Find looks up leaves of events, of each the one in the newest log that has it.
	Find(ctx context.Context, refs []Ref) (map[Ref]FoundLeaf, error)
	// Seal adds to the logs and moves the standing in one transaction, or does neither. ErrFenced when the standing is not the one that it
	// follows.
	Seal(ctx context.Context, s Sealing) error

	// Nodes gives a log's nodes after one, by Upto and Level, at most limit. The zero Node is before the first.
	Nodes(ctx context.Context, log int64, after Node, limit int) ([]Node, error)
	// Checkpoints gives those of a log with a size above after, in order, at most limit.
	Checkpoints(ctx context.Context, log, after int64, limit int) ([]SealedCheckpoint, error)
	// Cosign keeps a checkpoint with the signature of a witness.
	Cosign(ctx context.Context, log int64, c SealedCheckpoint) error
}
