package evidencetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections/evidence"
)

// Events is an event store in memory. What it gives can be changed, as an intruder would.
type Events []domain.Recorded

// MakeEvents makes n events of the firms, mixed, in streams of one to a few dozen events. The same seed makes the same ones.
func MakeEvents(seed uint64, n int, firms ...domain.ID) Events {
	random := rand.New(rand.NewPCG(seed, 0))
	type stream struct {
		name string
		firm domain.ID
		next int64
	}
	var open []*stream
	events := make(Events, n)
	for i := range events {
		if len(open) == 0 || random.IntN(6) == 0 {
			open = append(open, &stream{
				name: domain.StreamName("invoice", domain.DeriveID("stream", fmt.Sprint(seed, i))), firm: firms[random.IntN(len(firms))],
			})
		}
		s := open[len(open)-1-random.IntN(min(len(open), 20))]
		events[i] = domain.Recorded{
			Stream: s.name, Revision: s.next, Position: domain.Position{Commit: uint64(i + 1), Prepare: uint64(i + 1)},
			ID: domain.DeriveID("event", fmt.Sprint(seed, i)), Type: "InvoiceSent",
			Data:     fmt.Appendf(nil, `{"number":%d}`, i),
			Metadata: fmt.Appendf(nil, `{"firm":%q,"time":"2026-03-01T09:00:00Z","v":1}`, s.firm),
			Created:  time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second),
		}
		s.next++
	}
	return events
}

// ReadAll implements evidence.Events.
func (e Events) ReadAll(ctx context.Context, after domain.Position, limit int, handle func([]domain.Recorded) error) error {
	rest := e
	for len(rest) > 0 && !after.Before(rest[0].Position) {
		rest = rest[1:]
	}
	for part := range slices.Chunk(rest, limit) {
		if err := handle(part); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Event looks up one event.
func (e Events) Event(_ context.Context, ref evidence.Ref) (domain.Recorded, bool, error) {
	for _, r := range e {
		if r.Stream == ref.Stream && r.Revision == ref.Revision {
			return r, true, nil
		}
	}
	return domain.Recorded{}, false, nil
}

// Head is the position of the last event.
func (e Events) Head() domain.Position {
	if len(e) == 0 {
		return domain.Position{}
	}
	return e[len(e)-1].Position
}

// seed is the secret of a log key.
func seed(l evidence.Log) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "log key %d", l.Key))
	return sum[:]
}

// Signer gives the key of a log.
func Signer(l evidence.Log) (note.Signer, error) {
	return evidence.LogSigner(l.Origin(), seed(l)), nil
}

// Verifier gives the public key of a log.
func Verifier(l evidence.Log) (note.Verifier, error) {
	return evidence.NewVerifier(evidence.LogKey(l.Origin(), evidence.PublicKey(seed(l))))
}

// Clock is a clock that stands.
func Clock() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

// Monitor makes a monitor over events and store.
func Monitor(e evidence.Events, s evidence.Store) evidence.Monitor {
	return evidence.Monitor{Events: e, Store: s, Verifier: Verifier}
}

// Verifiers gives the public keys that any log may be signed with: the first two.
func Verifiers(origin string) (note.Verifiers, bool) {
	var keys []note.Verifier
	for generation := 1; generation <= 2; generation++ {
		key, err := evidence.NewVerifier(evidence.LogKey(origin, evidence.PublicKey(seed(evidence.Log{Key: generation}))))
		if err != nil {
			return nil, false
		}
		keys = append(keys, key)
	}
	return note.VerifierList(keys...), true
}

// Disk is the disk of a witness, in memory.
type Disk map[string][]byte

// Last implements evidence.WitnessDisk.
func (d Disk) Last(origin string) ([]byte, error) { return d[origin], nil }

// Keep implements evidence.WitnessDisk.
func (d Disk) Keep(origin string, signed []byte) error {
	d[origin] = signed
	return nil
}

// Remote is a witness that is asked without a network.
type Remote struct {
	*evidence.Witness
	Key  note.Verifier
	Away error // what asking fails with
}

// NewRemote makes a witness that watches every log under the first two log keys.
func NewRemote() (*Remote, error) {
	secret := sha256.Sum256([]byte("witness"))
	key, err := evidence.NewVerifier(evidence.CosignerKey("witness.example", evidence.PublicKey(secret[:])))
	return &Remote{Key: key, Witness: &evidence.Witness{
		Signer: evidence.Cosigner("witness.example", secret[:], Clock), Memory: Disk{},
		Verifier: Verifiers,
	}}, err
}

// Add implements evidence.RemoteWitness.
func (r *Remote) Add(_ context.Context, request []byte) ([]byte, error) {
	if r.Away != nil {
		return nil, r.Away
	}
	return r.Witness.Add(request)
}

// Last implements evidence.WitnessMemory.
func (r *Remote) Last(_ context.Context, origin string) (evidence.Witnessed, bool, error) {
	if r.Away != nil {
		return evidence.Witnessed{}, false, r.Away
	}
	signed, err := r.Witness.Last(origin)
	if err != nil || signed == nil {
		return evidence.Witnessed{}, false, err
	}
	w, err := evidence.OpenWitnessed(signed, origin, r.Key)
	return w, err == nil, err
}

func list(v ...note.Verifier) note.Verifiers { return note.VerifierList(v...) }
