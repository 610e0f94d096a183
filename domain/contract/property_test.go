package contract_test

import (
	"crypto/sha256"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contract"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

// TestSignaturesAreInOrderAndOfOneText gives any commands by anybody to one contract.
func TestSignaturesAreInOrderAndOfOneText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := []domain.Actor{dt.Client("s0"), dt.Client("s1"), dt.Client("s2"), dt.Client("eve"), {Kind: domain.Staff, ID: dt.ID("staff")}}
		count := rapid.IntRange(1, 3).Draw(t, "signers")
		draft := contract.Draft{Title: title, Body: body}
		for _, p := range people[:count] {
			draft.Signers = append(draft.Signers, contract.Signer{Contact: p.ID})
		}
		history, err := draft.Decide(contract.State{}, dt.Meta())
		if err != nil {
			t.Fatal(err)
		}
		state := contract.Aggregate.Fold(history...)
		var signed int
		var ended string
		var declined bool
		viewed, consented := map[domain.ID]bool{}, map[domain.ID]bool{}
		for n := range rapid.IntRange(1, 40).Draw(t, "commands") {
			m := proved(dt.By(rapid.SampledFrom(people).Draw(t, "actor")))
			m.Command = dt.ID("command " + strconv.Itoa(n))
			command := drawCommand(t)
			got, err := command.Decide(state, m)
			if err != nil && (domain.AsFault(err).Kind == domain.Internal || len(got) > 0) {
				t.Fatalf("%T: %v, %v", command, got, err)
			}
			for _, e := range got {
				if ended != "" {
					t.Fatalf("%s after %s", e.EventType(), ended)
				}
				if _, void := e.(contract.Voided); declined && !void {
					t.Fatalf("%s after it was declined", e.EventType())
				}
				switch e := e.(type) {
				case contract.Signed:
					if e.Contact != m.Actor.ID || e.Contact != draft.Signers[signed].Contact || e.SHA256 != digest || !viewed[e.Contact] || !consented[e.Contact] {
						t.Fatalf("signature %d: %+v by %v", signed, e, m.Actor)
					}
					signed++
					if e.Order != signed {
						t.Fatalf("signature %d has order %d", signed, e.Order)
					}
				case contract.Viewed:
					if e.Through == contract.Shown && viewed[e.Contact] {
						t.Fatal("a second first view")
					}
					viewed[e.Contact] = true
				case contract.ConsentGiven:
					consented[e.Contact] = true
				case contract.ConsentWithdrawn:
					consented[e.Contact] = false
				case contract.Completed:
					if signed != count {
						t.Fatalf("complete with %d of %d signatures", signed, count)
					}
					ended = e.EventType()
				case contract.Declined:
					declined = true
				case contract.Voided:
					ended = e.EventType()
				case contract.Drafted, contract.DraftChanged, contract.Sent, contract.Opened, contract.DisclosureShown,
					contract.SignatureAdopted, contract.CopyDelivered:
				}
			}
			if signed == count && ended == "" {
				t.Fatal("all have signed and it is not complete")
			}
			history = after(history, got...)
			state = contract.Aggregate.Fold(history...)
			if again, _ := command.Decide(state, m); len(again) > 0 {
				t.Fatalf("%T sent again adds %v", command, again)
			}
		}
	})
}

// drawCommand gives any command on a contract, sensible or not; endings are rare.
func drawCommand(t *rapid.T) dt.Decider[contract.State, contract.Event] {
	switch rapid.IntRange(0, 26).Draw(t, "kind") {
	case 0:
		return contract.Void{Reason: reason}
	case 1:
		return contract.Decline{Reason: reason}
	case 2:
		return contract.Sign{Statement: statement, Name: title, SHA256: contract.Digest("another", "text")}
	case 3, 4, 5, 6:
		return contract.Send{}
	case 7, 8, 9, 10, 11, 12:
		return contract.View{}
	case 13:
		return contract.WithdrawConsent{}
	case 14, 15, 16, 17, 18:
		return contract.Consent{SHA256: digest, Disclosure: told.SHA256(), Read: true}
	}
	return sign("A signer")
}

func TestFoldingLeavesTheOldStateAlone(t *testing.T) {
	before := contract.Aggregate.Fold(open...)
	want := []contract.Signee{{Contact: ana}, {Contact: ben}}
	for _, e := range (events{anaSaw[0], anaReady[1], anaSigned, declined, voided}) {
		contract.Aggregate.Evolve(before, e)
	}
	if d := cmp.Diff(want, before.Signers); d != "" || before.Status != contract.StatusSent {
		t.Fatalf("the state changed: %s", d)
	}
}

func TestTextsDifferWhenDigestsDiffer(t *testing.T) {
	if len(contract.Digest("", "")) != 2*sha256.Size {
		t.Fatal("not SHA-256 in hex")
	}
	rapid.Check(t, func(t *rapid.T) {
		title := rapid.String().Draw(t, "title")
		one, other := rapid.String().Draw(t, "body"), rapid.String().Draw(t, "other body")
		if (contract.Digest(title, one) == contract.Digest(title, other)) != (one == other) {
			t.Fatal("the digest does not tell the texts apart")
		}
	})
}
