package contract_test

import (
	"slices"
	"strings"
	"testing"
	"time"

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
	byAna       = proved(dt.By(dt.Client("ana")))
	byBen       = proved(dt.By(dt.Client("ben")))
	byStranger  = dt.By(dt.Client("eve"))
	bySystem    = dt.By(domain.SystemActor("import"))
	reason      = domain.P("the price is too high")
	statement   = domain.P("I agree to this contract.")

	drafted = contract.Drafted{
		Project: dt.ID("project"), Title: title, Body: body,
		Signers: []contract.Signer{{Contact: ana, Order: 1}, {Contact: ben, Order: 2}},
	}
	sent      = contract.Sent{SHA256: digest, Version: 1, Signers: []domain.ID{ana, ben}}
	told      = contract.DisclosureNow()
	proof     = contract.Proof{Method: "link", At: dt.Now.Add(-10 * time.Minute)}
	anaTyped  = contract.SignatureAdopted{Contact: ana, Form: contract.Typed}
	anaSigned = contract.Signed{Contact: ana, Name: domain.P("Ana Lima"), Statement: statement, SHA256: digest, Order: 1, Proof: proof}
	benTyped  = contract.SignatureAdopted{Contact: ben, Form: contract.Typed}
	benSigned = contract.Signed{Contact: ben, Name: domain.P("Ben Lima"), Statement: statement, SHA256: digest, Order: 2, Proof: proof}
	completed = contract.Completed{SHA256: digest}
	declined  = contract.Declined{Contact: ben, Reason: reason}
	voided    = contract.Voided{Reason: reason}

	anaSaw, anaReady = coming(ana)
	benSaw, benReady = coming(ben)

	open    = events{drafted, sent}
	signing = slices.Concat(open, anaSaw, anaReady, benSaw, benReady, events{anaTyped, anaSigned})
	done    = after(signing, benTyped, benSigned, completed)
)

// proved is m of somebody who showed who they are as long ago as may be.
func proved(m domain.Meta) domain.Meta {
	m.Proof = domain.Proof(proof)
	return m
}

// coming is what precedes a signature: seeing the text, and reading it with consent.
func coming(who domain.ID) (saw, ready events) {
	saw = events{
		contract.Opened{Contact: who, Proof: proof},
		contract.DisclosureShown{Contact: who, Version: told.Version, SHA256: told.SHA256()},
		contract.Viewed{Contact: who, SHA256: digest, Through: contract.Shown},
	}
	ready = events{
		contract.Viewed{Contact: who, SHA256: digest, Through: contract.ToTheEnd}, contract.ConsentGiven{Contact: who, Disclosure: told.SHA256()},
	}
	return saw, ready
}

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
			contract.Sent{SHA256: contract.Digest(title.Reveal(), "Less."), Version: 2, Signers: []domain.ID{ben}},
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
		{Name: "records the first view", Given: open, Meta: byAna, When: contract.View{}, Then: anaSaw},
		{Name: "records it for each signer", Given: after(open, anaSaw...), Meta: byBen, When: contract.View{}, Then: benSaw},
		{
			Name: "shows what is told anew", Given: after(open, anaSaw[0], contract.DisclosureShown{Contact: ana, Version: "1", SHA256: "old"}, anaSaw[2]),
			Meta: byAna, When: contract.View{}, Then: anaSaw[1:2],
		},
		{Name: "records nothing after signing", Given: signing, Meta: byAna, When: contract.View{}},
		{Name: "records it once", Given: after(open, anaSaw...), Meta: byAna, When: contract.View{}},
		{Name: "records nothing of a void contract", Given: after(open, voided), Meta: byAna, When: contract.View{}},
		{Name: "needs a sent contract", Given: events{drafted}, Meta: byAna, When: contract.View{}, Fault: "contract-not-sent"},
		{Name: "does not exist for another client", Given: open, Meta: byStranger, When: contract.View{}, Fault: "not-found"},
		{Name: "is not for staff", Given: open, When: contract.View{}, Fault: "view-by-signer-only"},
	})
}

func TestConsent(t *testing.T) {
	consent := contract.Consent{SHA256: digest, Disclosure: told.SHA256(), Read: true}
	with := func(change func(*contract.Consent)) contract.Consent {
		c := consent
		change(&c)
		return c
	}
	seen, withdrawn := after(open, anaSaw...), contract.ConsentWithdrawn{Contact: ana}
	consented := after(seen, anaReady...)
	older := contract.DisclosureShown{Contact: ana, Version: "1", SHA256: "old"}
	dt.Run(t, contract.Aggregate, cases{
		{Name: "says how far was read", Given: seen, Meta: byAna, When: consent, Then: anaReady},
		{Name: "is given already", Given: consented, Meta: byAna, When: consent},
		{Name: "does not wait for a turn", Given: after(open, benSaw...), Meta: byBen, When: consent, Then: benReady},
		{Name: "is given again", Given: after(consented, withdrawn), Meta: byAna, When: consent, Then: anaReady[1:]},
		{Name: "needs reading", Given: seen, Meta: byAna, When: with(func(c *contract.Consent) { c.Read = false }), Fault: "read-required read"},
		{Name: "needs the text", Given: seen, Meta: byAna, When: with(func(c *contract.Consent) { c.SHA256 = "" }), Fault: "sha256-required sha256"},
		{Name: "needs what was told", Given: seen, Meta: byAna, When: with(func(c *contract.Consent) { c.Disclosure = "" }), Fault: "disclosure-required disclosure"},
		{Name: "is of the text that was sent", Given: seen, Meta: byAna, When: with(func(c *contract.Consent) { c.SHA256 = "other" }), Fault: "document-changed sha256"},
		{Name: "is of what was told", Given: seen, Meta: byAna, When: with(func(c *contract.Consent) { c.Disclosure = "old" }), Fault: "disclosure-changed disclosure"},
		{
			Name: "is of what is told today", Given: after(seen, older), Meta: byAna,
			When: with(func(c *contract.Consent) { c.Disclosure = "old" }), Fault: "disclosure-changed disclosure",
		},
		{Name: "comes after opening", Given: open, Meta: byAna, When: consent, Fault: "contract-not-viewed"},
		{Name: "is not for staff", Given: seen, When: consent, Fault: "consent-by-signer-only"},
		{Name: "does not exist for another client", Given: seen, Meta: byStranger, When: consent, Fault: "not-found"},
		{Name: "is of an open contract", Given: after(seen, voided), Meta: byAna, When: consent, Fault: "contract-void"},
		{Name: "is withdrawn", Given: consented, Meta: byAna, When: contract.WithdrawConsent{}, Then: events{withdrawn}},
		{Name: "is withdrawn already", Given: after(consented, withdrawn), Meta: byAna, When: contract.WithdrawConsent{}},
		{Name: "is withdrawn before signing", Given: signing, Meta: byAna, When: contract.WithdrawConsent{}, Fault: "contract-already-signed"},
		{Name: "is not withdrawn by staff", Given: consented, When: contract.WithdrawConsent{}, Fault: "consent-by-signer-only"},
		{Name: "is not withdrawn of what is complete", Given: done, Meta: byAna, When: contract.WithdrawConsent{}, Fault: "contract-complete"},
	})
}

func TestCopy(t *testing.T) {
	copied := contract.CopyDelivered{Contact: ana, Channel: "email", SHA256: "pdf"}
	deliver := contract.DeliverCopy{Contact: ana, Channel: "email", SHA256: "pdf"}
	dt.Run(t, contract.Aggregate, cases{
		{Name: "goes to a signer", Given: done, Meta: bySystem, When: deliver, Then: events{copied}},
		{Name: "goes once", Given: after(done, copied), Meta: bySystem, When: contract.DeliverCopy{Contact: ana, Channel: "email", SHA256: "another"}},
		{Name: "waits for the last signature", Given: signing, Meta: bySystem, When: deliver, Fault: "contract-not-complete"},
		{Name: "goes to signers only", Given: done, Meta: bySystem, When: contract.DeliverCopy{Contact: dt.ID("eve")}, Fault: "not-found"},
		{Name: "needs a contract", Meta: bySystem, When: deliver, Fault: "not-found"},
	})
}

func sign(name string) contract.Sign {
	return contract.Sign{Statement: statement, Name: domain.P(name), SHA256: digest}
}

// anaDrew is Ana's signature as a drawing.
var anaDrew = contract.SignatureAdopted{ // printf 'M1 2L3 4' | sha256sum
	Contact: ana, Form: contract.Drawn, Drawing: domain.P("M1 2L3 4"), SHA256: "9ac89c4c20552106f22c552c9e3caaaf2ccf4211fb4a3e2eab35412b87047076",
}

func TestSign(t *testing.T) {
	with := func(change func(*contract.Sign)) contract.Sign {
		c := sign("Ana Lima")
		change(&c)
		return c
	}
	seen := slices.Concat(open, anaSaw, anaReady, benSaw, benReady)
	late := byAna
	late.Proof.At = late.Proof.At.Add(-time.Nanosecond)
	dt.Run(t, contract.Aggregate, cases{
		{Name: "signs", Given: seen, Meta: byAna, When: sign("Ana Lima"), Then: events{anaTyped, anaSigned}},
		{Name: "needs a fresh proof", Given: seen, Meta: late, When: sign("Ana Lima"), Fault: "reauth-required"},
		{Name: "needs a proof", Given: seen, Meta: dt.By(dt.Client("ana")), When: sign("Ana Lima"), Fault: "reauth-required"},
		{Name: "needs consent", Given: after(open, anaSaw...), Meta: byAna, When: sign("Ana Lima"), Fault: "consent-required"},
		{
			Name: "needs consent that stands", Given: after(seen, contract.ConsentWithdrawn{Contact: ana}), Meta: byAna,
			When: sign("Ana Lima"), Fault: "consent-required",
		},
		{
			Name: "needs consent to what was told last", Given: after(seen, contract.DisclosureShown{Contact: ana, Version: "1", SHA256: "old"}),
			Meta: byAna, When: sign("Ana Lima"), Fault: "consent-required",
		},
		{Name: "signs with a drawing", Given: seen, Meta: byAna, When: with(func(c *contract.Sign) { c.Drawing = domain.P("M1 2L3 4") }), Then: events{anaDrew, anaSigned}},
		{
			Name: "takes drawings only", Given: seen, Meta: byAna,
			When: with(func(c *contract.Sign) { c.Drawing = domain.P("M1 2\"/><script>") }), Fault: "drawing-unreadable drawing",
		},
		{Name: "completes with the last signature", Given: signing, Meta: byBen, When: sign("Ben Lima"), Then: events{benTyped, benSigned, completed}},
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
	state := contract.Aggregate.Fold(slices.Concat(open, anaSaw, anaReady, benSaw, benReady)...)
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
		"opened the contract, signed in by link":         anaSaw[0],
		"viewed the contract":                            anaSaw[2],
		"read the contract to its end":                   anaReady[0],
		"drew a signature":                               anaDrew,
		"typed a signature":                              anaTyped,
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
	dt.Golden(t, contract.Aggregate, drafted, changed, full, anaSaw[0], anaSaw[1], anaSaw[2], anaReady[1], contract.ConsentWithdrawn{Contact: ana}, anaDrew,
		anaSigned, completed, contract.CopyDelivered{Contact: ana, Channel: "email", SHA256: digest}, declined, voided)
}
