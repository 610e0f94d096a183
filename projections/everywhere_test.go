package projections_test

import (
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/projections"
)

// place is where a rebuild may run: what differs there must not be seen in the rows.
type place struct {
	batch, processors int
	zone              string            // of the program
	settings          map[string]string // of its sessions in Postgres
}

// rebuiltEverywhere rebuilds the tables of a log in five places and compares the digests.
func rebuiltEverywhere(t *testing.T, db *database, log *memoryLog, live projections.Digest) {
	t.Helper()
	processors, zone := runtime.GOMAXPROCS(0), time.Local
	defer func() {
		runtime.GOMAXPROCS(processors)
		time.Local = zone
	}()
	for _, p := range []place{
		{batch: 1 << 20, processors: 1, zone: "UTC"},
		{batch: 3, processors: 2, zone: "Asia/Kathmandu", settings: map[string]string{"timezone": "Asia/Kathmandu"}},
		{batch: 64, processors: 8, zone: "America/St_Johns", settings: map[string]string{"datestyle": "German, DMY", "timezone": "America/St_Johns"}},
		{batch: 1000, processors: 3, zone: "Pacific/Apia", settings: map[string]string{"intervalstyle": "sql_standard", "lc_numeric": "C", "extra_float_digits": "0"}},
		{batch: 17, processors: 1, zone: "Africa/Monrovia", settings: map[string]string{"lc_monetary": "C", "bytea_output": "escape", "timezone": "Pacific/Apia"}},
	} {
		runtime.GOMAXPROCS(p.processors)
		var err error
		if time.Local, err = time.LoadLocation(p.zone); err != nil {
			t.Fatal(err)
		}
		pool := func(of *pgxpool.Pool) *pgxpool.Pool {
			config := of.Config()
			for name, value := range p.settings {
				config.ConnConfig.RuntimeParams[name] = value
			}
			pool, err := pgxpool.NewWithConfig(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			return pool
		}
		e, err := projections.New(pool(db.projector), log.codec, projections.Tables(), projections.Options{
			Owner: pool(db.owner), Logger: slog.New(slog.DiscardHandler), Batch: p.batch,
		})
		if err != nil {
			t.Fatal(err)
		}
		done, err := e.Rebuild(t.Context(), log, ignore)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(live, done.Digest); d != "" || !done.Compared || len(done.Differ) > 0 {
			t.Errorf("rebuilt in %s by batches of %d on %d processors: %v (-live +rebuilt)\n%s", p.zone, p.batch, p.processors, done.Differ, d)
		}
	}
}
