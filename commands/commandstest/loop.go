package commandstest

import (
	"log/slog"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/catalog"
	"github.com/atrium-portal/atrium/domain/domaintest"
)

// NewLoop makes a loop over a log, with the product's menu, test keys, a payment
// provider called test and a clock of the test's. Two loops over one
// log are two processes. logger may be nil.
func NewLoop(t testing.TB, log commands.Log, now func() time.Time, logger *slog.Logger) *commands.Loop {
	t.Helper()
	codec, err := domain.NewCodec(catalog.Types(), domaintest.NewKeys(), nil)
	if err != nil {
		t.Fatal(err)
	}
	loop, err := commands.NewLoop(commands.Options{
		Log: log, Codec: codec, Menu: commands.Atrium(), Now: now, LoginKey: []byte("0123456789abcdef"), Logger: logger, Gateway: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return loop
}
