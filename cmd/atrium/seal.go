package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/cmd/internal/eventlog"
	"github.com/atrium-portal/atrium/cmd/internal/keystore"
	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/cmd/internal/witness"
	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/api"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections"
	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/readapi"
)

// witnessing says who else signs the seals.
type witnessing struct {
	Witness    string `help:"Witness that signs the seals too, such as https://witness.example.org; see atrium witness." placeholder:"URL"`
	WitnessKey string `help:"Public key of the witness, as it prints it. @FILE reads it from a file." placeholder:"KEY"`
}

// seals is the sealed history with its keys and its witness.
type seals struct {
	store  *postgres.Evidence
	sealer *evidence.Sealer
	events *eventlog.Log
	source projections.Source
	keys   logKeys
	log    *slog.Logger

	// Nil without a witness.
	witness  *witness.Client
	cosigner note.Verifier
	courier  *evidence.Courier
	// cosignerKey is the witness's public key as text.
	cosignerKey string
}

func openSeals(k *stack) *seals {
	keys := logKeys{k.keys}
	store := postgres.NewEvidence(k.pools.Sealer)
	return &seals{store: store, events: k.events, source: k.source, keys: keys, log: k.log, sealer: evidence.NewSealer(store, keys.signer, time.Now)}
}

// logKeys are the installation's log keys. They derive from the master key, one for each generation, and so are kept
// and backed up with it.
type logKeys struct{ keys *keystore.Keystore }

// seed is the secret of a generation.
func (l logKeys) seed(generation int) []byte {
	return l.keys.Derive(fmt.Sprintf("audit log key %d", generation))
}

func (l logKeys) signer(of evidence.Log) (note.Signer, error) {
	return evidence.LogSigner(of.Origin(), l.seed(of.Key)), nil
}

// public is the public key of a log, as text.
func (l logKeys) public(of evidence.Log) string {
	return evidence.LogKey(of.Origin(), evidence.PublicKey(l.seed(of.Key)))
}

func (l logKeys) verifier(of evidence.Log) (note.Verifier, error) {
	return evidence.NewVerifier(l.public(of))
}

// watchedBy names the witness. Without flags there is none.
func (s *seals) watchedBy(w witnessing) error {
	key, err := given(w.WitnessKey)
	if err != nil {
		return err
	}
	switch {
	case w.Witness == "" && key == "":
		return nil
	case w.Witness == "" || key == "":
		return errors.New("a witness needs its address and its public key: give both --witness and --witness-key")
	}
	if s.cosigner, err = evidence.NewVerifier(key); err != nil {
		return fmt.Errorf("--witness-key: %w", err)
	}
	s.cosignerKey = key
	if s.witness, err = witness.NewClient(w.Witness, s.cosigner); err != nil {
		return err
	}
	s.courier = &evidence.Courier{Store: s.store, Witness: s.witness, Cosigner: s.cosigner, Now: time.Now, Logger: s.log.With("handler", "witness")}
	return nil
}

// memory is the witness as one that is asked what it saw.
func (s *seals) memory() evidence.WitnessMemory {
	if s.witness == nil {
		return nil
	}
	return s.witness
}

// event looks up one event of the store.
func (s *seals) event(ctx context.Context, ref evidence.Ref) (domain.Recorded, bool, error) {
	events, err := s.events.Load(ctx, ref.Stream, ref.Revision)
	if err != nil || len(events) == 0 || events[0].Revision != ref.Revision {
		return domain.Recorded{}, false, err
	}
	return events[0], true, nil
}

func (s *seals) comparison() evidence.Comparison {
	return evidence.Comparison{Store: s.store, Event: s.event, Verifier: s.keys.verifier, Witness: s.memory()}
}

// compare refuses to go on when event store, seals, log keys and witness do not belong together. A witness that cannot be
// reached is left out.
func (s *seals) compare(ctx context.Context) error {
	c := s.comparison()
	err := c.Run(ctx)
	if errors.Is(err, witness.ErrAway) {
		s.log.Warn("the witness cannot be asked what it saw; going on without it", "error", err)
		c.Witness = nil
		err = c.Run(ctx)
	}
	if behind, ok := errors.AsType[*evidence.BehindError](err); ok && behind.Witnessed {
		s.log.Warn("the witness has seen more than is sealed here: sealing what the event store has")
		if err := s.catchUp(ctx); err != nil {
			return err
		}
		err = c.Run(ctx)
	}
	return err
}

// catchUp seals everything that is in the event store now.
func (s *seals) catchUp(ctx context.Context) error {
	at, err := s.sealer.Position(ctx)
	if err != nil {
		return err
	}
	return s.source.ReadAll(ctx, at, 4096, func(events []domain.Recorded) error {
		after := at
		at = events[len(events)-1].Position
		return s.sealer.Seal(ctx, after, events)
	})
}

// startSealer seals what is appended, and brings it to the witness, until ctx ends.
func (k *stack) startSealer(ctx context.Context, group *errgroup.Group) {
	s := k.seals
	group.Go(func() error {
		return k.follow(ctx, "seals", 0, s.sealer.Position, func(m *message.Message) error {
			batch, ok := projections.BatchOf(m)
			if !ok {
				return errors.New("message without a batch")
			}
			return s.sealer.Seal(m.Context(), batch.After, batch.Events)
		})
	})
	if s.courier != nil {
		group.Go(func() error {
			return k.alone(ctx, "witness", func(ctx context.Context) error { return s.courier.Run(ctx, s.sealer.Moved) })
		})
	}
}

// sealWait is how long the reply to an important command waits for its seal. Then it goes out without: the seal follows.
const sealWait = 2 * time.Second

// sealed are the events whose certificate or receipt is shown only after they are sealed.
var sealed = map[string]bool{
	"ContractSigned": true, "ContractCompleted": true, "PaymentRecorded": true, "PaymentSucceeded": true, "PersonErased": true,
}

// sealing runs commands and waits for the seal of those that matter.
type sealing struct {
	api.Dispatcher
	seals *seals
}

// Dispatch implements api.Dispatcher.
func (s sealing) Dispatch(ctx context.Context, o commands.Order) (commands.Receipt, error) {
	receipt, err := s.Dispatcher.Dispatch(ctx, o)
	if err != nil {
		return receipt, err
	}
	for _, event := range receipt.Events {
		if sealed[event] {
			s.seals.Await(ctx, receipt.Position)
			break
		}
	}
	return receipt, nil
}

// Await implements readapi.Seals.
func (s *seals) Await(ctx context.Context, p domain.Position) {
	short, cancel := context.WithTimeout(ctx, sealWait)
	defer cancel()
	if err := s.sealer.Await(short, p); err != nil {
		s.log.Warn("not sealed in time; going on", "position", p, "error", err)
	}
}

// Newest implements readapi.Seals. SIZE:ROOT is what `atrium-verify --extends` takes.
func (s *seals) Newest(ctx context.Context, firm domain.ID) string {
	head, ok, err := s.store.Newest(ctx, firm)
	if err != nil || !ok {
		return ""
	}
	return shortSeal(head.Newest)
}

// shortSeal is a seal as SIZE:ROOT.
func shortSeal(c evidence.SealedCheckpoint) string {
	lines := strings.SplitN(string(c.Signed), "\n", 4)
	if len(lines) < 4 {
		return ""
	}
	return fmt.Sprintf("%d:%s", c.Size, lines[2])
}

// Covering implements readapi.Seals.
func (s *seals) Covering(ctx context.Context, firm domain.ID, stream string, revision int64) string {
	ref := evidence.Ref{Stream: stream, Revision: revision}
	found, err := s.store.Find(ctx, []evidence.Ref{ref})
	leaf, sealed := found[ref]
	if err != nil || !sealed {
		return ""
	}
	heads, err := s.store.Heads(ctx)
	if err != nil {
		return ""
	}
	for _, head := range heads {
		if head.Firm != firm || head.Epoch != leaf.Epoch {
			continue
		}
		if covering, err := s.store.Checkpoints(ctx, head.ID, leaf.Index, 1); err == nil && len(covering) > 0 {
			return shortSeal(covering[0])
		}
	}
	return ""
}

// publicKeys lists the public keys for whoever wants to check a seal: a line for each log key, in the form that
// atrium witness takes, and one for the witness.
func (s *seals) publicKeys(ctx context.Context) (string, error) {
	heads, err := s.store.Heads(ctx)
	if err != nil {
		return "", err
	}
	generations := 1
	for _, h := range heads {
		generations = max(generations, h.Key)
	}
	var text strings.Builder
	fmt.Fprintln(&text, "# Public keys of the audit logs of this installation (Ed25519, base64), and of the witness that signs beside it.")
	fmt.Fprintln(&text, "# Add ?log=ORIGIN, with the first line of a seal, for the key as the notes of that log name it.")
	for generation := 1; generation <= generations; generation++ {
		fmt.Fprintln(&text, keyLine+base64.StdEncoding.EncodeToString(evidence.PublicKey(s.keys.seed(generation))))
	}
	if s.cosignerKey != "" {
		fmt.Fprintln(&text, "witness-key "+s.cosignerKey)
	}
	return text.String(), nil
}

// keysPath is where the public keys are shown to everybody.
const keysPath = "/.well-known/atrium-log-keys"

// serveKeys answers with the public keys; with ?log= also with those of that log, as signed notes name them. That tells nothing of which
// logs there are: the line follows from the name.
func (s *seals) serveKeys(w http.ResponseWriter, r *http.Request) {
	text, err := s.publicKeys(r.Context())
	if err != nil {
		s.log.Error("the public keys cannot be read", "error", err)
		http.Error(w, "The keys cannot be read just now. Try again in a moment.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if origin := r.URL.Query().Get("log"); origin != "" && len(origin) < 200 && !strings.ContainsAny(origin, "+ \t\r\n") {
		for line := range strings.SplitSeq(text, "\n") {
			if key, ok := strings.CutPrefix(line, keyLine); ok {
				if public, err := base64.StdEncoding.DecodeString(key); err == nil {
					text += evidence.LogKey(origin, public) + "\n"
				}
			}
		}
	}
	_, _ = io.WriteString(w, text) // if the reader has gone, there is nobody to tell
}

// Seals implements readapi.Seals.
func (s *seals) Seals(ctx context.Context, firm domain.ID) ([]readapi.Seal, error) {
	standing, err := s.store.Standing(ctx)
	if err != nil {
		return nil, err
	}
	lag, err := s.lag(ctx, standing.Position, firm)
	if err != nil {
		return nil, err
	}
	heads, err := s.store.Heads(ctx)
	if err != nil {
		return nil, err
	}
	list := []readapi.Seal{}
	for _, h := range slices.Backward(heads) {
		if h.Firm != firm {
			continue
		}
		text, _, _ := strings.Cut(string(h.Newest.Signed), "\n\n")
		said, err := evidence.ParseCheckpoint(text + "\n")
		one := readapi.Seal{
			Log: h.Origin(), Size: h.Newest.Size, SealedAt: h.Newest.At, Signed: string(h.Newest.Signed), Position: standing.Position,
			WitnessKey: s.cosignerKey, WitnessSize: h.Cosigned.Size, WitnessAt: h.Cosigned.At, Key: s.keys.public(h.Log),
		}
		if len(list) == 0 { // only the newest grows
			one.Lag, one.Late = lag.Seconds(), lag > readapi.SealLate
		}
		if err == nil {
			one.Root = said.Root.String()
		}
		if s.courier != nil {
			if trouble := s.courier.Trouble(h.ID); trouble != nil {
				one.Trouble = oneLine(trouble)
			}
		}
		list = append(list, one)
	}
	return list, nil
}

// errEnough ends a reading that has found what it was for.
var errEnough = errors.New("enough was read")

// lag is how long the oldest event of a firm (none: of any) has waited that is not sealed, among the next few thousand.
func (s *seals) lag(ctx context.Context, sealed domain.Position, firm domain.ID) (lag time.Duration, err error) {
	head, err := s.source.Head(ctx)
	if err != nil || !sealed.Before(head) {
		return 0, err
	}
	err = s.source.ReadAll(ctx, sealed, 4096, func(events []domain.Recorded) error {
		for _, e := range events {
			if firm == domain.NoID || evidence.FirmOf(e) == firm {
				lag = max(time.Since(e.Created), time.Millisecond)
				break
			}
		}
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return lag, err
}

// oldest is how long the oldest event that is not sealed has waited.
func (s *seals) oldest(ctx context.Context) (time.Duration, error) {
	standing, err := s.store.Standing(ctx)
	if err != nil {
		return 0, err
	}
	return s.lag(ctx, standing.Position, domain.NoID)
}

// withSeal puts the newest seal of the firm at the foot of a mail, so that whoever keeps the mail is a witness.
func (p post) withSeal(ctx context.Context, l reactors.Letter) (text, html string) {
	seal := p.seals.Newest(ctx, l.Firm)
	if l.Firm == domain.NoID || seal == "" {
		return l.Text, l.HTML
	}
	const says = "Seal of the history at this time: "
	body, rest, _ := strings.Cut(l.HTML, "</body>")
	if l.HTML != "" {
		html = body + `<p style="color:#676d79;font-size:11px;text-align:center;word-break:break-all">` + says + seal + "</p>"
		if rest != "" {
			html += "</body>" + rest
		}
	}
	return strings.TrimRight(l.Text, "\n") + "\n\n" + says + seal + "\n", html
}
