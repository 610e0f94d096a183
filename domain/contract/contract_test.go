package contract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contract"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

type (
	events = []contract.Event
	cases  = []dt.Case[contract.State, contract.Event]
)

var (
	title, body = domain.P("Website care"), domain.P("We look after the site.\nYou pay monthly.")
	digest      = contract.Digest(title.Reveal(), body.Reveal())
	ana, ben    = dt.ID("ana"), dt.ID("ben")
	byAna       = dt.By(dt.Client("ana"))
	byBen       = dt.By(dt.Client("ben"))
	byStranger  = dt.By(dt.Client("eve"))
	bySystem    = dt.By(domain.SystemActor("import"))
	reason      = domain.P("the price is too high")
	statement   = domain.P("I agree to this contract.")

	drafted = contract.Drafted{
		Project: dt.ID("project"), Title: title, Body: body,
		Signers: []contract.Signer{{Contact: ana, Order: 1}, {Contact: ben, Order: 2}},
	}
	sent      = contract.Sent{SHA256: digest, Signers: []domain.ID{ana, ben}}
	anaSaw    = contract.Viewed{Contact: ana, SHA256: digest}
	benSaw    = contract.Viewed{Contact: ben, SHA256: digest}
	anaSigned = contract.Signed{Contact: ana, Name: domain.P("Ana Lima"), Statement: statement, SHA256: digest, Order: 1}
	benSigned = contract.Signed{Contact: ben, Name: domain.P("Ben Lima"), Statement: statement, SHA256: digest, Order: 2}
	completed = contract.Completed{SHA256: digest}
	declined  = contract.Declined{Contact: ben, Reason: reason}
	voided    = contract.Voided{Reason: reason}

	open    = events{drafted, sent}
	signing = events{drafted, sent, anaSaw, benSaw, anaSigned}
	done    = events{drafted, sent, anaSaw, benSaw, anaSigned, benSigned, completed}
)

// after is given plus more events.
func after(given events, more ...contract.Event) events { return slices.Concat(given, more) }

func TestDraft(t *testing.T) {
	with := func(change func(*contract.Draft)) contract.Draft {
		c := contract.Draft{
			Account: dt.ID("account"), Project: dt.ID("project"), Title: title, Body: body,
			Signers: []contract.Signer{{Contact: ana}, {Contact: ben, Order: 2}},
		}
		change(&c)
		return c
	}
	dt.Run(t, contract.Aggregate, cases{
		{Name: "keeps the signers in the order of the list", When: with(func(*contract.Draft) {}), Then: events{drafted}},
		{Name: "needs a title", When: with(func(c *contract.Draft) { c.Title = domain.P("") }), Fault: "title-required title"},
		{Name: "needs a text", When: with(func(c *contract.Draft) { c.Body = domain.P("\n") }), Fault: "body-required body"},
		{
			Name: "takes a text of 200,000 characters", When: with(func(c *contract.Draft) { c.Body = domain.P(strings.Repeat("é", 200_000)) }),
			Then: events{contract.Drafted{Project: drafted.Project, Title: title, Body: domain.P(strings.Repeat("é", 200_000)), Signers: drafted.Signers}},
		},
		{Name: "takes no longer text", When: with(func(c *contract.Draft) { c.Body = domain.P(strings.Repeat("é", 200_001)) }), Fault: "body-too-long body"},
		{Name: "needs a signer", When: with(func(c *contract.Draft) { c.Signers = nil }), Fault: "signers-required signers"},
		{Name: "needs real signers", When: with(func(c *contract.Draft) { c.Signers[1].Contact = domain.NoID }), Fault: "signer-required signers[1].contact"},
		{Name: "knows each signer once", When: with(func(c *contract.Draft) { c.Signers[1].Contact = ana }), Fault: "signer-twice signers[1].contact"},
		{Name: "has one order", When: with(func(c *contract.Draft) { c.Signers[0].Order = 2 }), Fault: "signer-order signers[0].order"},
		{Name: "takes 20 signers", When: with(func(c *contract.Draft) {
			c.Signers = nil
			for i := range 21 {
				c.Signers = append(c.Signers, contract.Signer{Contact: dt.ID(strings.Repeat("i", i))})
			}
		}), Fault: "signers-too-many signers"},
	})
	want := []domain.Ref{
		{Field: "project", Category: "project", ID: dt.ID("project")},
		{Field: "signers[0].contact", Category: "contact", ID: ana},
		{Field: "signers[1].contact", Category: "contact", ID: ben},
	}
	if c := with(func(*contract.Draft) {}); !slices.Equal(c.Refs(), want) || c.Owner() != dt.ID("account") {
		t.Fatalf("refs %v, owner %v", c.Refs(), c.Owner())
	}
}

func TestChangeDraft(t *testing.T) {
	with := func(change func(*contract.ChangeDraft)) contract.ChangeDraft {
		c := contract.ChangeDraft{
			Project: dt.ID("project"), Title: title, Body: body, Signers: []contract.Signer{{Contact: ana}, {Contact: ben}},
		}
		change(&c)
		return c
	}
	asIs := with(func(*contract.ChangeDraft) {})
	cleared := contract.DraftChanged{Title: title, Body: domain.P("Less."), Signers: []contract.Signer{{Contact: ben, Order: 1}}, Removed: []domain.ID{ana}}
	dt.Run(t, contract.Aggregate, cases{
		{Name: "says the same already", Given: events{drafted}, When: asIs},
		{
			Name: "changes all of it", Given: events{drafted},
			When: contract.ChangeDraft{Title: title, Body: domain.P("Less."), Signers: []contract.Signer{{Contact: ben}}}, Then: events{cleared},
		},
		{
			Name: "changes the order", Given: events{drafted}, When: with(func(c *contract.ChangeDraft) { slices.Reverse(c.Signers) }),
			Then: events{contract.DraftChanged{Project: drafted.Project, Title: title, Body: body, Signers: []contract.Signer{{Contact: ben, Order: 1}, {Contact: ana, Order: 2}}}},
		},
		{
			Name: "changes it back", Given: events{drafted, cleared}, When: asIs,
			Then: events{contract.DraftChanged{Project: drafted.Project, Title: title, Body: body, Signers: drafted.Signers}},
		},
		{Name: "is sent as it was changed", Given: events{drafted, cleared}, When: contract.Send{}, Then: events{
			contract.Sent{SHA256: contract.Digest(title.Reveal(), "Less."), Signers: []domain.ID{ben}},
		}},
		{Name: "needs a text", Given: events{drafted}, When: with(func(c *contract.ChangeDraft) { c.Body = domain.P("") }), Fault: "body-required body"},
		{Name: "leaves what was sent alone", Given: open, When: asIs, Fault: "contract-sent"},
		{Name: "leaves what is complete alone", Given: done, When: asIs, Fault: "contract-sent"},
		{Name: "is void", Given: events{drafted, voided}, When: asIs, Fault: "contract-void"},
		{Name: "does not exist", When: asIs, Fault: "not-found"},
	})
	if refs := asIs.Refs(); len(refs) != 3 || refs[2].ID != ben {
		t.Errorf("refers to %v", refs)
	}
}

func TestSend(t *testing.T) {
	dt.Run(t, contract.Aggregate, cases{
		{Name: "freezes the text", Given: events{drafted}, When: contract.Send{}, Then: events{sent}},
		{Name: "is sent already", Given: open, When: contract.Send{}},
		{Name: "is complete already", Given: done, When: contract.Send{}},
		{Name: "is void", Given: events{drafted, voided}, When: contract.Send{}, Fault: "contract-void"},
		{Name: "does not exist", When: contract.Send{}, Fault: "not-found"},
	})
}

func TestErasedTextIsNotSent(t *testing.T) {
	keys := dt.NewKeys()
	codec, err := domain.NewCodec([]domain.Type{contract.Aggregate.Type()}, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := codec.Encode(drafted, dt.Meta(), 0)
	if err != nil {
		t.Fatal(err)
	}
	keys.Erase("account:" + dt.ID("account").String())
	fact, err := codec.Decode(domain.Recorded{
		Stream: domain.StreamName("contract", dt.ID("it")), ID: stored.ID, Type: stored.Type, Data: stored.Data, Metadata: stored.Metadata,
	})
	if err != nil {
		t.Fatal(err)
	}
	dt.Run(t, contract.Aggregate, cases{
		{Name: "refuses", Given: events{fact.Event.(contract.Event)}, When: contract.Send{}, Fault: "contract-text-erased"},
	})
}

func TestDigestIsOfTheExactText(t *testing.T) {
	// printf 'Title\n\nBody' | sha256sum
	const want = "45777c14d90fa79dc6ce71ceb6f81cced62c929c472199547cfd939a54e954c6"
	if got := contract.Digest("Title", "Body"); got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	if contract.Digest("Title", "Body\n") == want {
		t.Fatal("another text has the same digest")
	}
}

func TestView(t *testing.T) {
	dt.Run(t, contract.Aggregate, cases{
		{Name: "records the first view", Given: open, Meta: byAna, When: contract.View{}, Then: events{anaSaw}},
		{Name: "records it for each signer", Given: after(open, anaSaw), Meta: byBen, When: contract.View{}, Then: events{benSaw}},
		{Name: "records it once", Given: after(open, anaSaw), Meta: byAna, When: contract.View{}},
		{Name: "records nothing of a void contract", Given: after(open, voided), Meta: byAna, When: contract.View{}},
		{Name: "needs a sent contract", Given: events{drafted}, Meta: byAna, When: contract.View{}, Fault: "contract-not-sent"},
		{Name: "does not exist for another client", Given: open, Meta: byStranger, When: contract.View{}, Fault: "not-found"},
		{Name: "is not for staff", Given: open, When: contract.View{}, Fault: "view-by-signer-only"},
	})
}

func sign(name string) contract.Sign {
	return contract.Sign{Statement: statement, Name: domain.P(name), SHA256: digest}
}

// drawnByAna is Ana's signature with a drawing.
func drawnByAna() contract.Signed {
	signed := anaSigned
	signed.Drawing = domain.P("M1 2L3 4")
	return signed
}

func TestSign(t *testing.T) {
	with := func(change func(*contract.Sign)) contract.Sign {
		c := sign("Ana Lima")
		change(&c)
		return c
	}
	seen := after(open, anaSaw, benSaw)
	dt.Run(t, contract.Aggregate, cases{
		{Name: "signs", Given: seen, Meta: byAna, When: sign("Ana Lima"), Then: events{anaSigned}},
		{Name: "signs with a drawing", Given: seen, Meta: byAna, When: with(func(c *contract.Sign) { c.Drawing = domain.P("M1 2L3 4") }), Then: events{drawnByAna()}},
		{
			Name: "takes drawings only", Given: seen, Meta: byAna,
			When: with(func(c *contract.Sign) { c.Drawing = domain.P("M1 2\"/><script>") }), Fault: "drawing-unreadable drawing",
		},
		{Name: "completes with the last signature", Given: signing, Meta: byBen, When: sign("Ben Lima"), Then: events{benSigned, completed}},
		{Name: "is signed already", Given: signing, Meta: byAna, When: sign("Ana Lima")},
		{Name: "is complete already", Given: done, Meta: byAna, When: sign("Ana Lima")},
		{Name: "is not for staff", Given: seen, When: sign("Ana Lima"), Fault: "staff-cannot-sign"},
		{Name: "is not for the system", Given: seen, Meta: bySystem, When: sign("Ana Lima"), Fault: "staff-cannot-sign"},
		{Name: "does not exist for another client", Given: seen, Meta: byStranger, When: sign("Eve"), Fault: "not-found"},
		{Name: "needs a statement", Given: seen, Meta: byAna, When: with(func(c *contract.Sign) { c.Statement = domain.P("") }), Fault: "statement-required statement"},
		{Name: "needs a name", Given: seen, Meta: byAna, When: with(func(c *contract.Sign) { c.Name = domain.P(" ") }), Fault: "name-required name"},
		{Name: "needs the digest of the text", Given: seen, Meta: byAna, When: with(func(c *contract.Sign) { c.SHA256 = "" }), Fault: "sha256-required sha256"},
		{
			Name: "is of the text that was sent", Given: seen, Meta: byAna,
			When: with(func(c *contract.Sign) { c.SHA256 = contract.Digest("Website care", "Something else") }), Fault: "document-changed sha256",
		},
		{Name: "needs to be read first", Given: open, Meta: byAna, When: sign("Ana Lima"), Fault: "contract-not-viewed"},
		{Name: "waits for its turn", Given: seen, Meta: byBen, When: sign("Ben Lima"), Fault: "not-your-turn"},
		{Name: "needs a sent contract", Given: events{drafted}, Meta: byAna, When: sign("Ana Lima"), Fault: "contract-not-sent"},
		{Name: "needs a valid contract", Given: after(seen, voided), Meta: byAna, When: sign("Ana Lima"), Fault: "contract-void"},
		{Name: "needs a contract nobody declined", Given: after(seen, declined), Meta: byAna, When: sign("Ana Lima"), Fault: "contract-declined"},
	})
}

func TestFaultsOfSigning(t *testing.T) {
	state := contract.Aggregate.Fold(after(open, anaSaw, benSaw)...)
	other := sign("Ana Lima")
	other.SHA256 = "00"
	for _, c := range []struct {
		when contract.Sign
		by   domain.Meta
		kind domain.Kind
		says string
	}{
		{other, byAna, domain.Refused, "not the text that was sent"},
		{sign("Ben Lima"), byBen, domain.Refused, "Signer 1 of 2 signs first"},
		{sign("Ana Lima"), dt.Meta(), domain.Forbidden, "staff cannot sign for a client"},
	} {
		_, err := c.when.Decide(state, c.by)
		if f := domain.AsFault(err); f.Kind != c.kind || !strings.Contains(f.Message, c.says) {
			t.Errorf("%+v, want %q", f, c.says)
		}
	}
}

func TestDecline(t *testing.T) {
	decline := contract.Decline{Reason: reason}
	dt.Run(t, contract.Aggregate, cases{
		{Name: "ends the contract", Given: signing, Meta: byBen, When: decline, Then: events{declined}},
		{Name: "does not wait for a turn", Given: open, Meta: byBen, When: decline, Then: events{declined}},
		{Name: "is declined already", Given: after(open, declined), Meta: byBen, When: decline},
		{Name: "is declined by another", Given: after(open, declined), Meta: byAna, When: decline, Fault: "contract-declined"},
		{Name: "comes before signing", Given: signing, Meta: byAna, When: decline, Fault: "contract-already-signed"},
		{Name: "is complete", Given: done, Meta: byBen, When: decline, Fault: "contract-complete"},
		{Name: "is void", Given: after(open, voided), Meta: byBen, When: decline, Fault: "contract-void"},
		{Name: "is not sent", Given: events{drafted}, Meta: byBen, When: decline, Fault: "contract-not-sent"},
		{Name: "needs a reason", Given: open, Meta: byBen, When: contract.Decline{}, Fault: "reason-required reason"},
		{Name: "does not exist for another client", Given: open, Meta: byStranger, When: decline, Fault: "not-found"},
		{Name: "is not for staff", Given: open, When: decline, Fault: "staff-cannot-decline"},
	})
}

func TestVoid(t *testing.T) {
	dt.Run(t, contract.Aggregate, cases{
		{Name: "withdraws a draft", Given: events{drafted}, When: contract.Void{Reason: reason}, Then: events{voided}},
		{Name: "withdraws a sent contract", Given: signing, When: contract.Void{Reason: reason}, Then: events{voided}},
		{Name: "is void already", Given: after(open, voided), When: contract.Void{Reason: reason}},
		{Name: "leaves a complete contract alone", Given: done, When: contract.Void{Reason: reason}, Fault: "contract-complete"},
		{Name: "needs a reason", Given: open, When: contract.Void{}, Fault: "reason-required reason"},
		{Name: "needs a contract", When: contract.Void{Reason: reason}, Fault: "not-found"},
	})
}

func TestSentences(t *testing.T) {
	for want, e := range map[string]contract.Event{
		"drafted the contract Website care":              drafted,
		"changed the draft of the contract Website care": contract.DraftChanged{Title: title},
		"sent the contract to its 2 signers":             sent,
		"sent the contract to its signer":                contract.Sent{Signers: []domain.ID{ana}},
		"signed the contract as Ana Lima":                anaSigned,
		"completed the contract with the last signature": completed,
	} {
		if got := e.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestGolden(t *testing.T) {
	full := sent
	full.Parties = contract.Parties{
		Firm: "North Studio", FirmAddress: "1 Quay\nBergen", Client: domain.P("Lima"), ClientAddress: domain.P("2 Hill\nOslo"),
		TimeZone: "Europe/Berlin", Color: "#123456",
	}
	changed := contract.DraftChanged{Project: drafted.Project, Title: title, Body: body, Signers: drafted.Signers, Removed: []domain.ID{dt.ID("eve")}}
	dt.Golden(t, contract.Aggregate, drafted, changed, full, anaSaw, drawnByAna(), completed, declined, voided)
}
