package bundle

import (
	"fmt"
	"slices"

	"github.com/atrium-portal/atrium/projections/evidence"
)

// conclude judges what takes the whole bundle to judge.
func (v *verification) conclude() {
	for i := range v.Events {
		v.concludeEvent(&v.Events[i])
	}
	for i := range v.Documents {
		d := &v.Documents[i]
		for _, e := range v.Naming(d.SHA256) {
			d.NamedBy = append(d.NamedBy, e.Place)
		}
		if d.NamedBy == nil {
			v.wrong(d.Entry, "No event of this bundle names the document %s.", d.Entry)
		}
	}
	whole := false
	for _, i := range v.issues {
		v.checkIssued(i)
		whole = whole || i.About == v.About
	}
	if v.Trusted = v.Trusted && len(v.Logs) > 0; len(v.Logs) == 0 {
		v.wrong("", "There is no seal, so nothing is proved.")
	}
	v.NotShown = append(v.NotShown, "No proof can show that what somebody entered was true.")
	for _, l := range v.Logs {
		v.NotShown = append(v.NotShown, fmt.Sprintf("Nothing is said about events that were sealed after entry %d of %s.", l.Size-1, l.Origin))
	}
	if !whole {
		v.NotShown = append(v.NotShown, "No event in it says which streams belong in this bundle, so one may have been left out.")
	}
	if v.keys == nil {
		v.NotShown = append(v.NotShown, "Who made this bundle: no public key was given, so no signature was checked, and anybody could have made all of it.")
	}
}

func (v *verification) concludeEvent(e *EventVerdict) {
	for _, subject := range e.subjects {
		if by, ok := v.destroyed[subject]; ok && !slices.Contains(e.ErasedBy, by) {
			e.ErasedBy = append(e.ErasedBy, by)
		}
	}
	if e.Status == Wrong || e.Status == Included && !e.overwritten {
		return
	}
	at := slices.IndexFunc(v.removals, func(r removal) bool {
		return r.Stream == e.Stream && r.From <= e.Revision && e.Revision <= r.To && e.before(r.at)
	})
	switch {
	case at >= 0:
		e.Status, e.RemovedBy = Removed, &v.removals[at].at
	case e.overwritten:
		e.Status = Wrong
		v.wrongEvent(e, "its contents were overwritten, and no event says that they may be.")
	}
}

// checkIssued holds what an earlier or this bundle held against what is here.
func (v *verification) checkIssued(i issue) {
	e := &v.Events[i.at]
	for _, h := range i.Heads {
		s, here := v.streams[h.Stream]
		switch {
		case !here && i.About == v.About:
			v.wrongEvent(e, "it says that the stream %s belongs in this bundle, which leaves it out.", h.Stream)
		case !here: // a bundle about something else
		case s.Head < h.Revision:
			v.wrongEvent(e, "it says that the stream %s has a revision %d; here it ends with %d.", h.Stream, h.Revision, s.Head)
		case s.Unbroken && h.Revision >= 0 && s.hashes[h.Revision] != h.Leaf:
			v.wrongEvent(e, "it says that revision %d of %s is another event than the one here.", h.Revision, h.Stream)
		}
	}
}

// Extends checks that the log goes on from what an older bundle held, and that nothing of it was left out. Both were
// verified with the same keys.
func (v *Verdict) Extends(older *Verdict) {
	if !older.Consistent {
		v.wrong("", "The older bundle is not as claimed itself: verify it alone to see why.")
		return
	}
	for i := range older.Logs {
		v.ExtendsSeal(older.Logs[i].checkpoint())
	}
	here := make(map[Place]*EventVerdict, len(v.Events))
	for i := range v.Events {
		here[v.Events[i].Place] = &v.Events[i]
	}
	left := 0
	for i := range older.Events {
		e := &older.Events[i]
		switch now := here[e.Place]; {
		case now == nil:
			left++
			v.wrongEvent(e, "the older bundle has it, this one leaves it out.")
		case now.Leaf != e.Leaf:
			v.wrongEvent(e, "it is another event in the older bundle.")
		}
	}
	if left == 0 {
		v.Shown = append(v.Shown, fmt.Sprintf("All %d events of the older bundle are in this one.", len(older.Events)))
	}
}

// ExtendsSeal checks that the log goes on from a seal that the caller holds and trusts. Without an origin it may be of
// any log of the bundle.
func (v *Verdict) ExtendsSeal(older evidence.Checkpoint) {
	at := slices.IndexFunc(v.Logs, func(l *LogVerdict) bool {
		return l.Origin == older.Origin || older.Origin == "" && l.earlier[older.Size] == older.Root
	})
	if at < 0 && (older.Origin != "" || len(v.Logs) == 0) {
		v.wrong("", "The older seal is of the log %s, which this bundle has no seal of.", older.Origin)
		return
	}
	l := v.Logs[max(at, 0)]
	root, proved := l.earlier[older.Size]
	if older.Size == l.Size {
		root, proved = l.Root, true
	}
	switch {
	case older.Size > l.Size:
		v.wrong("", "The older seal has %d entries and this bundle's only %d: this bundle is the older one, or the log was cut off.", older.Size, l.Size)
	case !proved:
		v.wrong("", "The bundle does not show whether its log goes on from the one of %d entries. Ask for a bundle made since size %d.", older.Size, older.Size)
	case root != older.Root:
		v.wrong("", "The log was rewritten: of its first %d entries, one or more are not those that the older seal was made over.", older.Size)
	default:
		v.Shown = append(v.Shown, fmt.Sprintf("The log of %d entries goes on from the one of %d entries: nothing before was changed or removed.", l.Size, older.Size))
	}
}
