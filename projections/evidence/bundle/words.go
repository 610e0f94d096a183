package bundle

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Conclusion is the verdict in one sentence.
func (v *Verdict) Conclusion() string {
	switch {
	case v.AsClaimed():
		return "As claimed: every event in this bundle was sealed in the firm's log, and is here as it was sealed."
	case v.Consistent:
		return "Not proved: the bundle is consistent in itself, but no public key says whose it is."
	case v.Trusted:
		return "Not as claimed: the bundle is signed by a key you gave, but something in it is wrong."
	default:
		return "Not as claimed: something in this bundle is wrong."
	}
}

// Words writes the verdict for people.
func (v *Verdict) Words(w io.Writer) error {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("%s", v.Conclusion())
	if len(v.Problems) > 0 {
		say("\nWhat is wrong")
		for _, p := range v.Problems {
			say("  - %s", p.What)
		}
		if v.More > 0 {
			say("  - and %d more.", v.More)
		}
	}
	if v.About != "" {
		say("\nThe bundle\n  about %s, issued %s", v.About, v.Issued.Format(time.RFC3339))
	}
	for _, l := range v.Logs {
		say("\nSeal of %s\n  %d entries, root %s", l.Origin, l.Size, l.Root)
		for _, name := range l.SignedBy {
			say("  signed by %s", name)
		}
		for _, c := range l.Cosigned {
			say("  seen by witness %s at %s", c.By, c.Time.Format(time.RFC3339))
		}
		if l.Unchecked > 0 {
			say("  %d with keys that were not given, not checked", l.Unchecked)
		}
	}
	v.eventWords(say)
	for _, d := range v.Documents {
		say("\nDocument %s\n  named by %s", d.Entry, placesIn(d.NamedBy))
	}
	if len(v.Shown) > 0 {
		say("\nCompared with what you have")
		for _, s := range v.Shown {
			say("  - %s", s)
		}
	}
	say("\nWhat this does not show")
	for _, s := range v.NotShown {
		say("  - %s", s)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// eventWords names the streams, and the events that are not just here as they were.
func (v *Verdict) eventWords(say func(string, ...any)) {
	count := map[Status]int{}
	for i := range v.Events {
		count[v.Events[i].Status]++
	}
	say("\n%d events: %d included, %d withheld, %d removed, %d wrong", len(v.Events), count[Included], count[Withheld], count[Removed], count[Wrong])
	for _, s := range v.Streams {
		how := "unbroken from its first event"
		if !s.Unbroken {
			how = "BROKEN"
		}
		say("  %s: %d events up to revision %d, %s", s.Stream, s.Events, s.Head, how)
	}
	for i := range v.Events {
		e := &v.Events[i]
		switch {
		case e.Status == Removed:
			say("  %s: contents removed by %s", e, e.RemovedBy)
		case e.Status != Included:
			say("  %s: %s", e, e.Status)
		}
		if len(e.ErasedBy) > 0 {
			say("  %s: personal values erased by %s", e, placesIn(e.ErasedBy))
		}
	}
}

func placesIn(places []Place) string {
	words := make([]string, len(places))
	for i, p := range places {
		words[i] = p.String()
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
