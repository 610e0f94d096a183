package portal_test

import (
	"context"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal"
)

// sealed is a firm whose history is sealed, in a log after an older one.
type sealed struct{}

func (sealed) Seals(context.Context, domain.ID) ([]readapi.Seal, error) {
	return []readapi.Seal{
		{
			Log: "atrium.example/north/2", Size: 48213, Root: "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", SealedAt: domaintest.Now,
			Key: "atrium.example/north/2+1a2b3c4d+AWl3c2VjcmV0a2V5b2Z0aGVsb2d0aGF0aXNub3Q", WitnessKey: "witness.example+5e6f7a8b+BHdpdG5lc3M", WitnessSize: 48213,
		},
		{Log: "atrium.example/north/1", Size: 12, Root: "b2xk", SealedAt: domaintest.Now, Key: "atrium.example/north/1+00000001+AW9sZA"},
	}, nil
}

func (sealed) Newest(context.Context, domain.ID) string                  { return "48213:root" }
func (sealed) Covering(context.Context, domain.ID, string, int64) string { return "" }
func (sealed) Await(context.Context, domain.Position)                    {}

func TestEverybodyReadsHowToCheckTheRecords(t *testing.T) {
	w := newWorld(t)
	for path, who := range map[string]string{"/records": "olga", "/staff/records": "max"} {
		page := w.page(path, who)
		holds(t, page, "What a seal is", "48213:CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "north/2+1a2b3c4d", "witness.example", "north/1+00000001", `href="/.well-known/atrium-log-keys"`, "atrium-verify bundle.zip")
	}
	holds(t, w.page("/records", "olga"), `href="/api/v1/accounts/`+w.id("aurora")+`/evidence"`)
	for path, who := range map[string]string{"/": "liam", "/history": "olga"} {
		holds(t, w.page(path, who), `href="/records"`)
	}
	w.with(func(o *portal.Options) { o.Seals = nil })
	holds(t, w.page("/records", "olga"), "Nothing is sealed yet")
}
