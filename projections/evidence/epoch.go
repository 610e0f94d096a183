package evidence

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
)

// Opening is what the first leaf of an epoch after the first one says of the epoch before it, of which Kept leaves are still
// events in the store and those up to Size are missing.
type Opening struct {
	Firm       domain.ID `json:"firm"`
	Epoch      int       `json:"epoch"`      // that begins
	Previous   string    `json:"previous"`   // origin of the log that ends
	Size       int64     `json:"size"`       // that it had
	Root       tlog.Hash `json:"root"`       // over these
	Checkpoint string    `json:"checkpoint"` // that says so, as it was signed
	Kept       int64     `json:"kept"`
	Key        int       `json:"key"` // which of the installation's log keys signs from now on
	By         string    `json:"by"`  // who ordered it
	Reason     string    `json:"reason"`
	Time       time.Time `json:"time"`
}

// openingType is the type of the first leaf of an epoch.
const openingType = "EpochOpened"

// openingLeaf is the first leaf of an epoch; it stands for no event.
func (l Log) openingLeaf() (Leaf, error) {
	var o Opening
	if err := json.Unmarshal(l.Opening, &o); err != nil {
		return Leaf{}, fmt.Errorf("the opening of %s cannot be read: %w", l.Origin(), err)
	}
	if o.Firm != l.Firm || o.Epoch != l.Epoch || o.Key != l.Key {
		return Leaf{}, fmt.Errorf("the opening of %s belongs to another log", l.Origin())
	}
	stream := "epoch-" + l.Firm.String()
	return Leaf{
		Epoch: l.epoch(), Stream: stream, Revision: int64(l.Epoch), EventID: domain.DeriveID(stream, strconv.Itoa(l.Epoch)),
		Type: openingType, Data: sha256.Sum256(l.Opening), Metadata: sha256.Sum256(nil),
	}, nil
}

// openingOf reads what the first leaf of an epoch says of the one before.
func openingOf(l Log) (o Opening, err error) {
	err = json.Unmarshal(l.Opening, &o)
	return o, err
}
