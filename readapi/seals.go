package readapi

import (
	"context"
	"net/http"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// Seals tells how far the history of a firm is sealed.
type Seals interface {
	// Seals lists the logs of a firm, the newest first.
	Seals(ctx context.Context, firm domain.ID) ([]Seal, error)
	// Newest is the newest seal of a firm as SIZE:ROOT; empty when there is none.
	Newest(ctx context.Context, firm domain.ID) string
	// Covering is the first seal over one event of a firm as SIZE:ROOT, which never changes; empty when there is none yet.
	Covering(ctx context.Context, firm domain.ID, stream string, revision int64) string
	// Await waits for the seal of everything up to a position, but not for long: papers go out, and the seal follows.
	Await(ctx context.Context, p domain.Position)
}

// Seal is the newest seal of a log. Older logs of a firm do not grow any more.
type Seal struct {
	Log      string          `json:"log" doc:"the name of the log: the first line of its checkpoints"`
	Size     int64           `json:"size" doc:"how many events are sealed"`
	Root     string          `json:"root" doc:"the hash over all of them, base64"`
	SealedAt time.Time       `json:"sealed_at"`
	Signed   string          `json:"signed" doc:"the checkpoint as it is signed, with the signature of the witness when there is one"`
	Position domain.Position `json:"position" doc:"everything up to it is sealed"`
	Lag      float64         `json:"lag_seconds" doc:"how long the oldest event has waited that is not sealed"`
	Late     bool            `json:"late" doc:"it has waited for more than 10 seconds"`

	WitnessKey  string    `json:"witness_key,omitempty" doc:"of the witness; empty: there is none"`
	WitnessSize int64     `json:"witness_size" doc:"how many events the newest seal covers that the witness signed too"`
	WitnessAt   time.Time `json:"witness_at,omitzero"`
	Trouble     string    `json:"trouble,omitempty" doc:"why the witness has not signed the newest seal"`
	Key         string    `json:"key" doc:"the log's public key"`
}

// SealLate is how long an event may wait for its seal before that is an alarm: until then nobody could tell if it was changed.
const SealLate = 10 * time.Second

// sealedPaper waits until what a receipt or a contract says is sealed, and puts the newest seal on a statement. The others
// never change, so a seal that is newer every day has no place on them; a complete contract has the first one over it.
func (s *server) sealedPaper(ctx context.Context, firm domain.ID, paper any) error {
	if s.Seals == nil {
		return nil
	}
	switch paper := paper.(type) {
	case *ReceiptPaper, *ContractPaper:
		at, err := s.Checkpoint.Position(ctx)
		if err != nil {
			return err
		}
		s.Seals.Await(ctx, at)
		if c, ok := paper.(*ContractPaper); ok && c.Status == "complete" {
			c.Seal = s.Seals.Covering(ctx, firm, domain.StreamName("contract", c.ID), c.CompletedIn)
		}
	case *StatementPaper:
		paper.Seal = s.Seals.Newest(ctx, firm)
	}
	return nil
}

// seals answers with the seals of the caller's firm.
func (s *server) seals(r *http.Request) ([]Seal, error) {
	if s.Seals == nil {
		return nil, nil
	}
	return s.Seals.Seals(r.Context(), auth.From(r.Context()).Firm)
}
