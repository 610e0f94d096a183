package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"regexp"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections/evidence"
)

// Types of events that mean something to the verifier; see the package comment.
const (
	issuedType    = "BundleIssued"
	destroyedType = "SubjectKeyDestroyed"
	removalType   = "RemovalAuthorised"
	epochType     = "EpochOpened" // the first leaf of a later epoch; it stands for no event
)

// Issued is the data of an event that says what a bundle held when it was issued.
type Issued struct {
	About string `json:"about"`
	Heads []Head `json:"heads"`
}

// Head is the last event of a stream.
type Head struct {
	Stream   string    `json:"stream"`
	Revision int64     `json:"revision"`
	Leaf     tlog.Hash `json:"leaf"`
}

type issue struct {
	Issued
	at int // its place in Events
}

type removal struct {
	Stream string `json:"stream"`
	From   int64  `json:"from"`
	To     int64  `json:"to"`
	at     Place
}

// eventFiles are the files of an event; nil means that one is not there.
type eventFiles struct {
	place                                  Place
	leaf, proof, data, metadata, disclosed []byte
}

func (v *verification) readEventFile(name entryName, content []byte) {
	if v.event != nil && v.event.place != name.Place {
		v.endEvent()
	}
	if v.event == nil {
		v.event = &eventFiles{place: name.Place}
	}
	file := map[string]*[]byte{
		leafName: &v.event.leaf, proofName: &v.event.proof, dataName: &v.event.data, metadataName: &v.event.metadata,
		disclosedName: &v.event.disclosed,
	}[name.file]
	*file = content
}

// endEvent judges the event whose files were read.
func (v *verification) endEvent() {
	if v.event == nil {
		return
	}
	f := v.event
	v.event = nil
	if n := len(v.Events); n > 0 && !v.Events[n-1].before(f.place) {
		v.wrong(f.place.dir(), "%s comes after %s.", f.place, v.Events[n-1].Place)
	}
	v.Events = append(v.Events, EventVerdict{Place: f.place, Status: Included})
	e := &v.Events[len(v.Events)-1]
	bad := func(what string) {
		e.Status = Wrong
		v.wrongEvent(e, "%s", what)
	}
	leaf, err := evidence.ParseLeaf(f.leaf)
	if err != nil {
		bad("its leaf is missing or cannot be read.")
		return
	}
	e.Stream, e.Revision, e.Event, e.Type, e.Leaf = leaf.Stream, leaf.Revision, leaf.EventID, leaf.Type, leaf.Hash()
	v.checkSealed(e, leaf, f.proof, bad)
	v.checkChain(e, leaf)
	shown := v.checkPart(e, "data", f.data, leaf.Data, bad)
	v.checkPart(e, "metadata", f.metadata, leaf.Metadata, bad)
	v.checkDisclosed(e, f, bad)
	if shown && e.Status != Wrong {
		v.learn(len(v.Events)-1, f.data)
	}
}

// checkSealed checks that the leaf is in the log.
func (v *verification) checkSealed(e *EventVerdict, leaf evidence.Leaf, proofText []byte, bad func(string)) {
	log := v.logs[e.Epoch]
	if log == nil || leaf.Epoch != epochText(e.Epoch) {
		bad("the bundle has no seal of its epoch.")
		return
	}
	index, proof, err := parseProof(proofText, log.signed)
	if err != nil || index != e.Index {
		bad("its proof is missing, not in its one form, or of another entry or seal.")
		return
	}
	if tlog.CheckRecord(proof, log.Size, log.Root, index, e.Leaf) != nil {
		bad("the seal does not cover it: this is not the leaf that was sealed here.")
	}
}

// checkChain checks that the event follows the one before it in its stream.
func (v *verification) checkChain(e *EventVerdict, leaf evidence.Leaf) {
	s := v.streams[e.Stream]
	if s == nil {
		s = &StreamVerdict{Stream: e.Stream, Head: -1, Unbroken: true}
		v.streams[e.Stream] = s
		v.Streams = append(v.Streams, s)
	}
	var before tlog.Hash
	if n := len(s.hashes); n > 0 {
		before = s.hashes[n-1]
	}
	switch {
	case e.Type == epochType && e.Index == 0 && e.Epoch > 1: // stands at the head of its log, in no chain
	case e.Revision <= s.Head:
		s.Unbroken = false
		v.wrongEvent(e, "it comes after revision %d of its stream.", s.Head)
	case e.Revision > s.Head+1:
		s.Unbroken = false
		v.wrongEvent(e, "revisions %d to %d of its stream are missing before it.", s.Head+1, e.Revision-1)
	case s.Unbroken && leaf.Previous != before:
		s.Unbroken = false
		v.wrongEvent(e, "it was sealed as the successor of another event than the one before it here.")
	}
	s.Events++
	s.Head = e.Revision
	if s.Unbroken {
		s.hashes = append(s.hashes, e.Leaf)
	}
}

// checkPart checks data or metadata against its hash; shown says that it is here as it was sealed.
func (v *verification) checkPart(e *EventVerdict, what string, part []byte, want [32]byte, bad func(string)) (shown bool) {
	switch {
	case part == nil:
		if e.Status == Included {
			e.Status = Withheld
		}
	case sha256.Sum256(part) == want:
		return true
	case len(part) > 0 && len(bytes.Trim(part, "\xff")) == 0:
		e.overwritten = true
	default:
		bad("its " + what + " is not what was sealed.")
	}
	return false
}

// checkDisclosed checks what is given in plain text against what was sealed, and notes whose values stay sealed.
func (v *verification) checkDisclosed(e *EventVerdict, f *eventFiles, bad func(string)) {
	var d Disclosed
	if f.disclosed != nil {
		decoder := json.NewDecoder(bytes.NewReader(f.disclosed))
		decoder.DisallowUnknownFields()
		if decoder.Decode(&d) != nil || decoder.More() {
			bad("what is disclosed of it cannot be read.")
		}
	}
	for _, part := range []struct {
		name   string
		stored []byte
		plain  map[string]domain.Disclosure
	}{{"data", f.data, d.Data}, {"metadata", f.metadata, d.Metadata}} {
		sealed, err := domain.FindSealed(part.stored)
		if err != nil && e.Status == Included {
			bad("its " + part.name + " is not JSON.")
		}
		open := len(part.plain)
		for _, s := range sealed {
			plain, ok := part.plain[s.Path]
			switch {
			case !ok:
				if !slices.Contains(e.subjects, s.Subject) {
					e.subjects = append(e.subjects, s.Subject)
				}
			case s.Commits(plain):
				open--
				e.Disclosed = append(e.Disclosed, part.name+s.Path)
			}
		}
		if open > 0 {
			bad("what is disclosed of its " + part.name + " is not what was sealed.")
		}
	}
}

var sumForm = regexp.MustCompile(`"[0-9a-f]{64}"`)

// learn takes from the data of an event, which is as it was sealed, what other checks need.
func (v *verification) learn(at int, data []byte) {
	e := &v.Events[at]
	for _, quoted := range sumForm.FindAll(data, -1) {
		if sum := string(quoted[1 : len(quoted)-1]); !slices.Contains(v.named[sum], at) {
			v.named[sum] = append(v.named[sum], at)
		}
	}
	var err error
	switch e.Type {
	case issuedType:
		i := issue{at: at}
		err = json.Unmarshal(data, &i.Issued)
		v.issues = append(v.issues, i)
	case destroyedType:
		var d struct {
			Subject string `json:"subject"`
		}
		err = json.Unmarshal(data, &d)
		v.destroyed[d.Subject] = e.Place
	case removalType:
		r := removal{at: e.Place}
		err = json.Unmarshal(data, &r)
		v.removals = append(v.removals, r)
	}
	if err != nil {
		v.wrongEvent(e, "it cannot be understood: %v.", err)
	}
}
