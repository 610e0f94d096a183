package evidencetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections/evidence"
)

// Suite is what every evidence.Store has to pass. open makes an empty one.
func Suite(t *testing.T, open func(*testing.T) evidence.Store) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, evidence.Store)
	}{
		{"any batches give the same logs", anyBatches},
		{"duplicates and cuts", duplicatesAndCuts},
		{"two sealers", twoSealers},
		{"restored store", restoredStore},
		{"new key", newKey},
		{"witness", witness},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
	t.Run("a batch is all or nothing", func(t *testing.T) { allOrNothing(t, open) })
}

// Firms of the suite.
var firmA, firmB = domain.DeriveID("firm a"), domain.DeriveID("firm b")

// NewSealer seals into a store with the keys of the kit.
func NewSealer(s evidence.Store) *evidence.Sealer { return evidence.NewSealer(s, Signer, Clock) }

// Seal seals events from where the sealer is, in batches of a size.
func Seal(ctx context.Context, s *evidence.Sealer, e Events, size int) error {
	at, err := s.Position(ctx)
	if err != nil {
		return err
	}
	return e.ReadAll(ctx, at, size, func(part []domain.Recorded) error {
		after := at
		at = part[len(part)-1].Position
		return s.Seal(ctx, after, part)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// clean monitors and wants no difference, and every event to have its one leaf.
func clean(t *testing.T, e Events, s evidence.Store) evidence.Report {
	t.Helper()
	report, err := Monitor(e, s).Run(t.Context())
	must(t, err)
	for _, d := range report.Differences {
		t.Errorf("difference in %s: %s", d.Log, d.Text)
	}
	if report.Events != int64(len(e)) || report.Unsealed != 0 {
		t.Errorf("%d events compared and %d unsealed, want all %d", report.Events, report.Unsealed, len(e))
	}
	return report
}

// roots are the newest sizes and roots of all logs.
func roots(t *testing.T, s evidence.Store) map[domain.ID]evidence.Checkpoint {
	t.Helper()
	heads, err := s.Heads(t.Context())
	must(t, err)
	all := map[domain.ID]evidence.Checkpoint{}
	for _, h := range heads {
		all[h.Firm] = opened(t, h.Log, h.Newest)
	}
	return all
}

func opened(t *testing.T, l evidence.Log, c evidence.SealedCheckpoint) evidence.Checkpoint {
	t.Helper()
	v, err := Verifier(l)
	must(t, err)
	said, err := evidence.Open(c.Signed, list(v))
	must(t, err)
	return said
}

func anyBatches(t *testing.T, s evidence.Store) {
	events := MakeEvents(1, 1500, firmA, firmB, domain.NoID)
	whole := NewMemory()
	must(t, Seal(t.Context(), NewSealer(whole), events, len(events)))
	for from, size := 0, 1; from < len(events); from, size = from+size, size*3 {
		must(t, Seal(t.Context(), NewSealer(s), events[:min(from+size, len(events))], size)) // a new sealer each time: as after a restart
	}
	if got, want := roots(t, s), roots(t, whole); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	report := clean(t, events, s)
	if report.Logs != 3 || report.Leaves != 1500 || report.Checkpoints < 3 {
		t.Errorf("report %+v", report)
	}
}

// duplicatesAndCuts delivers batches again, from earlier positions, and ends some with their context.
func duplicatesAndCuts(t *testing.T, s evidence.Store) {
	events := MakeEvents(2, 900, firmA, firmB)
	random := rand.New(rand.NewPCG(2, 2))
	sealer := NewSealer(s)
	for at := 0; at < len(events); {
		from := max(0, at-random.IntN(40))
		to := min(len(events), at+1+random.IntN(60))
		after := domain.Position{}
		if from > 0 {
			after = events[from-1].Position
		}
		ctx, cut := context.WithCancel(t.Context())
		if random.IntN(3) == 0 {
			timer := time.AfterFunc(time.Duration(random.IntN(2000))*time.Microsecond, cut)
			defer timer.Stop()
		}
		err := sealer.Seal(ctx, after, events[from:to])
		cut()
		if err != nil && !errors.Is(err, context.Canceled) && ctx.Err() == nil {
			t.Fatal(err)
		}
		position, err := sealer.Position(t.Context())
		must(t, err)
		at = int(position.Commit)
		if random.IntN(10) == 0 {
			sealer = NewSealer(s)
		}
	}
	clean(t, events, s)

	changed := events[700]
	changed.Data = []byte(`{"number":1}`)
	if err := sealer.Seal(t.Context(), events[699].Position, []domain.Recorded{changed}); !errors.Is(err, evidence.ErrDiffers) {
		t.Errorf("a changed event that comes again: %v", err)
	}
	gap := MakeEvents(3, 1, firmA)[0]
	gap.Revision, gap.Position = 1, domain.Position{Commit: 1000, Prepare: 1000}
	if err := sealer.Seal(t.Context(), events[899].Position, []domain.Recorded{gap}); !errors.Is(err, evidence.ErrGap) {
		t.Errorf("an event without its predecessor: %v", err)
	}
	if err := sealer.Seal(t.Context(), domain.Position{Commit: 950, Prepare: 950}, []domain.Recorded{gap}); !errors.Is(err, evidence.ErrRewound) {
		t.Errorf("a batch that leaves something out: %v", err)
	}
	clean(t, events, s)
}

// twoSealers race on one store, as when a process hangs and another takes over.
func twoSealers(t *testing.T, s evidence.Store) {
	events := MakeEvents(4, 600, firmA, firmB)
	var wg sync.WaitGroup
	failed := make(chan error, 2)
	for n := range 2 {
		wg.Go(func() {
			sealer := NewSealer(s)
			for {
				err := Seal(t.Context(), sealer, events, 7+4*n)
				if err == nil {
					return
				}
				if !errors.Is(err, evidence.ErrFenced) && !errors.Is(err, evidence.ErrRewound) {
					failed <- fmt.Errorf("sealer %d: %w", n, err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	clean(t, events, s)
}

func comparison(e Events, s evidence.Store) evidence.Comparison {
	return evidence.Comparison{Store: s, Event: e.Event, Verifier: Verifier}
}

// restoredStore brings back an older copy of the event store, which goes on otherwise than before.
func restoredStore(t *testing.T, s evidence.Store) {
	ctx := t.Context()
	before := MakeEvents(5, 800, firmA, firmB)
	must(t, Seal(ctx, NewSealer(s), before, 100))
	must(t, comparison(before, s).Run(ctx))
	after := append(Events(nil), before[:770]...)
	err := comparison(after, s).Run(ctx)
	behind, ok := errors.AsType[*evidence.BehindError](err)
	if !ok || behind.Missing != 30 || len(behind.First) == 0 {
		t.Fatalf("30 events are missing; got %v", err)
	}
	lost := map[evidence.Ref]bool{}
	for _, r := range before[770:] {
		lost[evidence.Ref{Stream: r.Stream, Revision: r.Revision}] = true
	}
	for _, ref := range behind.First {
		if !lost[ref] {
			t.Errorf("%v is not missing", ref)
		}
	}
	openings, err := comparison(after, s).Acknowledge(ctx, evidence.Acknowledgement{
		By: "Priya", Reason: "restored the backup of Sunday", Head: after.Head(), Now: Clock(), Signer: Signer,
	})
	must(t, err)
	var missing int64
	for _, o := range openings {
		missing += o.Size - o.Kept
	}
	if missing != 30 {
		t.Errorf("the openings say that %d are missing: %+v", missing, openings)
	}
	must(t, comparison(after, s).Run(ctx))
	if _, err := comparison(after, s).Acknowledge(ctx, evidence.Acknowledgement{Now: Clock(), Signer: Signer}); !errors.Is(err, evidence.ErrNothing) {
		t.Errorf("acknowledged twice: %v", err)
	}
	// Streams go on from where the copy ended: revisions repeat.
	next := map[string]int64{}
	for _, r := range after {
		next[r.Stream] = r.Revision + 1
	}
	for i, r := range append(before[770:], MakeEvents(6, 400, firmA, firmB)...) {
		r.ID, r.Data = domain.DeriveID("again", fmt.Sprint(i)), []byte(`{"again":true}`)
		r.Position = domain.Position{Commit: uint64(771 + i), Prepare: uint64(771 + i)}
		r.Revision = next[r.Stream]
		next[r.Stream]++
		after = append(after, r)
	}
	must(t, Seal(ctx, NewSealer(s), after, 50))
	report := clean(t, after, s)
	if want := int64(len(after)+30) + int64(len(openings)); report.Leaves != want {
		t.Errorf("%d leaves, want %d: events, missing ones, openings", report.Leaves, want)
	}
	must(t, comparison(after, s).Run(ctx))
}

// newKey has every log go on under another key.
func newKey(t *testing.T, s evidence.Store) {
	ctx := t.Context()
	events := MakeEvents(7, 500, firmA, firmB)
	must(t, Seal(ctx, NewSealer(s), events[:300], 100))
	openings, err := comparison(events, s).Acknowledge(ctx, evidence.Acknowledgement{
		By: "Priya", Reason: "yearly", NewKey: true, Head: events.Head(), Now: Clock(), Signer: Signer,
	})
	must(t, err)
	if len(openings) != 2 || openings[0].Key != 2 || openings[0].Kept != openings[0].Size {
		t.Errorf("openings %+v", openings)
	}
	must(t, Seal(ctx, NewSealer(s), events, 100))
	clean(t, events, s)
}

// witness lets a witness sign what is sealed, then shows it rewritten history.
func witness(t *testing.T, s evidence.Store) {
	ctx := t.Context()
	events := MakeEvents(8, 900, firmA, firmB)
	remote, err := NewRemote()
	must(t, err)
	courier := &evidence.Courier{Store: s, Witness: remote, Cosigner: remote.Key, Now: Clock}
	for _, upto := range []int{10, 300, 301, 900} {
		must(t, Seal(ctx, NewSealer(s), events[:upto], 64))
		must(t, courier.Send(ctx))
	}
	heads, err := s.Heads(ctx)
	must(t, err)
	for _, h := range heads {
		if h.Cosigned.Size != h.Newest.Size {
			t.Errorf("the witness signed %d of %d", h.Cosigned.Size, h.Newest.Size)
		}
		if at, ok := evidence.Cosigned(h.Cosigned.Signed, remote.Key); !ok || !at.Equal(Clock()) {
			t.Errorf("the signature of the witness: %v %v", at, ok)
		}
	}
	monitor := Monitor(events, s)
	monitor.Witness, monitor.Cosigner = remote, remote.Key
	report, err := monitor.Run(ctx)
	must(t, err)
	if len(report.Differences) > 0 || report.Witnessed != 2 {
		t.Errorf("report %+v", report)
	}

	// Somebody rewrites history, with the log's key in hand.
	rewritten := append(Events(nil), events...)
	rewritten[5].Data = []byte(`{"number":1000000}`)
	forged := NewMemory()
	must(t, Seal(ctx, NewSealer(forged), rewritten, 64))
	monitor = Monitor(rewritten, forged)
	monitor.Witness, monitor.Cosigner = remote, remote.Key
	report, err = monitor.Run(ctx)
	must(t, err)
	if len(report.Differences) != 1 || report.Differences[0].What != evidence.WitnessDiffers {
		t.Errorf("rewritten history: %+v", report)
	}
	compare := comparison(rewritten, forged)
	compare.Witness = remote
	if err := compare.Run(ctx); !errors.Is(err, evidence.ErrFork) {
		t.Errorf("rewritten history at the start: %v", err)
	}
	// Everything is restored from an older copy: only the witness knows.
	older := NewMemory()
	must(t, Seal(ctx, NewSealer(older), events[:850], 64))
	compare = comparison(events[:850], older)
	compare.Witness = remote
	behind, ok := errors.AsType[*evidence.BehindError](compare.Run(ctx))
	if !ok || behind.Missing != 50 || !behind.Witnessed {
		t.Errorf("everything is older: %v", behind)
	}
	// When only the logs are older, sealing settles it.
	must(t, Seal(ctx, NewSealer(older), events, 64))
	compare = comparison(events, older)
	compare.Witness = remote
	must(t, compare.Run(ctx))

	// The witness does not sign what goes on from rewritten history.
	more := append(rewritten, MakeEvents(9, 100, firmA, firmB)...)
	for i := range more[900:] {
		more[900+i].Position = domain.Position{Commit: uint64(901 + i), Prepare: uint64(901 + i)}
	}
	must(t, Seal(ctx, NewSealer(forged), more, 64))
	if err := (&evidence.Courier{Store: forged, Witness: remote, Cosigner: remote.Key, Now: Clock}).Send(ctx); !errors.Is(err, evidence.ErrFork) {
		t.Errorf("the witness signs rewritten history: %v", err)
	}
}

// allOrNothing has the store fail within a transaction.
func allOrNothing(t *testing.T, open func(*testing.T) evidence.Store) {
	s := open(t)
	ctx := t.Context()
	events := MakeEvents(10, 60, firmA)
	must(t, Seal(ctx, NewSealer(s), events[:50], 50))
	heads, err := s.Heads(ctx)
	must(t, err)
	standing, err := s.Standing(ctx)
	must(t, err)
	// A leaf that is there already.
	leaves, err := s.Leaves(ctx, heads[0].ID, 49, 1)
	must(t, err)
	err = s.Seal(ctx, evidence.Sealing{Follows: standing.Version, Position: events[59].Position, At: Clock(), Logs: []evidence.Addition{{
		Log: heads[0].Log, Leaves: leaves, Checkpoint: evidence.SealedCheckpoint{Size: 51, Signed: heads[0].Newest.Signed, At: Clock()},
	}}})
	if err == nil {
		t.Error("a leaf was stored twice")
	}
	if now, err := s.Standing(ctx); err != nil || now != standing {
		t.Errorf("the standing moved from %+v to %+v, %v", standing, now, err)
	}
	must(t, Seal(ctx, NewSealer(s), events, 50))
	clean(t, events, s)
}
