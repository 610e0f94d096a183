package witness_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/atrium-portal/atrium/cmd/internal/witness"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/projections/evidence/evidencetest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serving is a witness on a folder, for a while.
func serving(t *testing.T, dir string, use func(*witness.Client, note.Verifier)) {
	t.Helper()
	disk, err := witness.OpenDisk(dir)
	must(t, err)
	defer func() { must(t, disk.Close()) }()
	secret, err := disk.Secret(rand.Read)
	must(t, err)
	text := evidence.CosignerKey("witness.example", evidence.PublicKey(secret))
	key, err := evidence.NewVerifier(text)
	must(t, err)
	server := httptest.NewServer(witness.Handler(&evidence.Witness{
		Signer: evidence.Cosigner("witness.example", secret, evidencetest.Clock), Memory: disk, Verifier: evidencetest.Verifiers,
	}, text, slog.New(slog.DiscardHandler)))
	defer server.Close()
	client, err := witness.NewClient(server.URL, key)
	must(t, err)
	use(client, key)
}

// TestWitnessRemembers seals, has the witness sign, and shows another history to the witness started again.
func TestWitnessRemembers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "witness")
	ctx := t.Context()
	firm := domain.DeriveID("firm")
	events := evidencetest.MakeEvents(1, 300, firm)
	store := evidencetest.NewMemory()
	must(t, evidencetest.Seal(ctx, evidencetest.NewSealer(store), events[:100], 10))
	var origin string
	serving(t, dir, func(client *witness.Client, key note.Verifier) {
		if _, err := witness.OpenDisk(dir); err == nil {
			t.Error("two witnesses work in one folder")
		}
		courier := &evidence.Courier{Store: store, Witness: client, Cosigner: key, Now: evidencetest.Clock}
		must(t, courier.Send(ctx))
		heads, err := store.Heads(ctx)
		must(t, err)
		origin = heads[0].Origin()
		seen, ok, err := client.Last(ctx, origin)
		must(t, err)
		if !ok || seen.Size != 100 {
			t.Errorf("the witness saw %+v %v", seen, ok)
		}
		if _, ok, err := client.Last(ctx, "portal/other/audit/1"); ok || err != nil {
			t.Errorf("a log that it does not know: %v %v", ok, err)
		}
		if _, err := client.Add(ctx, []byte("old 0\n\nnonsense\n")); !refused(err, evidence.Unsigned) {
			t.Errorf("nonsense: %v", err)
		}
	})
	must(t, evidencetest.Seal(ctx, evidencetest.NewSealer(store), events, 10))
	serving(t, dir, func(client *witness.Client, key note.Verifier) {
		// A copy that knows nothing of the witness goes on from where the witness is.
		must(t, (&evidence.Courier{Store: store, Witness: client, Cosigner: key, Now: evidencetest.Clock}).Send(ctx))
		rewritten := append(evidencetest.Events(nil), events...)
		rewritten[0].Data = []byte(`{}`)
		forged := evidencetest.NewMemory()
		must(t, evidencetest.Seal(ctx, evidencetest.NewSealer(forged), rewritten, 300))
		if err := (&evidence.Courier{Store: forged, Witness: client, Cosigner: key, Now: evidencetest.Clock}).Send(ctx); !errors.Is(err, evidence.ErrFork) {
			t.Errorf("rewritten history: %v", err)
		}
		older := evidencetest.NewMemory()
		must(t, evidencetest.Seal(ctx, evidencetest.NewSealer(older), events[:200], 300))
		if err := (&evidence.Courier{Store: older, Witness: client, Cosigner: key, Now: evidencetest.Clock}).Send(ctx); !errors.Is(err, evidence.ErrFork) {
			t.Errorf("history rolled back: %v", err)
		}
	})
	files, err := filepath.Glob(filepath.Join(dir, "logs", "*"))
	must(t, err)
	kept, err := os.ReadFile(files[0])
	must(t, err)
	if len(files) != 1 || !strings.HasPrefix(string(kept), origin+"\n300\n") || bytes.Count(kept, []byte("— ")) != 2 {
		t.Errorf("%d files, the first is\n%s", len(files), kept)
	}
}

func refused(err error, status int) bool {
	refusal, ok := errors.AsType[*evidence.Refusal](err)
	return ok && refusal.Status == status
}

func TestWitnessAway(t *testing.T) {
	var client *witness.Client
	serving(t, t.TempDir(), func(c *witness.Client, _ note.Verifier) { client = c })
	if _, _, err := client.Last(t.Context(), "any"); !errors.Is(err, witness.ErrAway) {
		t.Errorf("got %v", err)
	}
	if _, err := witness.NewClient("witness.example", nil); err == nil {
		t.Error("an address without a scheme is taken")
	}
}
