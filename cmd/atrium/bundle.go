package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/cmd/internal/pdf"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/projections/evidence/bundle"
	"github.com/atrium-portal/atrium/readapi"
)

// bundles makes evidence bundles from the event store, the seals and the keystore.
type bundles struct {
	*stack
	// sealed returns when everything up to a position is sealed.
	sealed func(context.Context, domain.Position) error
}

// issuer makes bundles in a server, which seals by itself.
func (k *stack) issuer() bundles {
	return bundles{k, func(ctx context.Context, p domain.Position) error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := k.seals.sealer.Await(ctx, p); err != nil {
			return &domain.Fault{Kind: domain.Unavailable, Code: "not-sealed", Message: "The newest events are not sealed yet. Please try again in a moment."}
		}
		return nil
	}}
}

// Issue implements readapi.Evidence. The bundle is in a file that goes when it is closed.
func (b bundles) Issue(ctx context.Context, o readapi.EvidenceOrder, m domain.Meta) (_ io.ReadCloser, err error) {
	f, err := os.CreateTemp("", "atrium-evidence-*.zip")
	if err != nil {
		return nil, err
	}
	t := temporary{f}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	if err := b.write(ctx, f, o, m); err != nil {
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return t, err
}

// temporary is a file that is removed when it is closed.
type temporary struct{ *os.File }

// Close removes it.
func (t temporary) Close() error { return errors.Join(t.File.Close(), os.Remove(t.Name())) }

// write records that a bundle is handed out, waits until that is sealed, and writes the bundle.
func (b bundles) write(ctx context.Context, w io.Writer, o readapi.EvidenceOrder, m domain.Meta) error {
	if m.Time.IsZero() {
		m.Time = b.now()
	}
	c := collecting{bundles: b, order: o, home: domain.StreamName(account.Aggregate.Category, o.Account), shown: map[evidence.Ref]readapi.EvidenceLine{}, streams: map[string][]domain.Recorded{}}
	for _, line := range o.Lines {
		c.shown[evidence.Ref{Stream: line.Stream, Revision: line.Revision}] = line
	}
	if err := c.issue(ctx, m); err != nil {
		return err
	}
	contents, err := c.contents(ctx)
	if err != nil {
		return err
	}
	contents.Issued = m.Time
	return bundle.Write(w, contents)
}

// collecting is a bundle in the making.
type collecting struct {
	bundles
	order   readapi.EvidenceOrder
	home    string // the stream of the account, which says what was handed out
	shown   map[evidence.Ref]readapi.EvidenceLine
	streams map[string][]domain.Recorded // whole
	found   map[evidence.Ref]evidence.FoundLeaf
}

// load reads a stream from its beginning, in place of what was read of it before.
func (c *collecting) load(ctx context.Context, stream string) error {
	events, err := c.events.Load(ctx, stream, 0)
	c.streams[stream] = events
	return err
}

// find looks up the leaves of all events, after they were sealed.
func (c *collecting) find(ctx context.Context) error {
	var last domain.Position
	var refs []evidence.Ref
	for _, events := range c.streams {
		for _, e := range events {
			refs = append(refs, evidence.Ref{Stream: e.Stream, Revision: e.Revision})
			if last.Before(e.Position) {
				last = e.Position
			}
		}
	}
	err := c.sealed(ctx, last)
	if err == nil {
		c.found, err = c.seals.store.Find(ctx, refs)
	}
	if err == nil && len(c.found) < len(refs) {
		err = errors.New("not all events are sealed: run `atrium audit monitor`")
	}
	return err
}

// issue records what the bundle holds, as an event that is in the bundle itself.
func (c *collecting) issue(ctx context.Context, m domain.Meta) error {
	for ref := range c.shown {
		if _, known := c.streams[ref.Stream]; !known {
			if err := c.load(ctx, ref.Stream); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(c.load(ctx, c.home), c.find(ctx)); err != nil {
		return err
	}
	issue := account.IssueBundle{Account: c.order.Account, About: c.order.About}
	for stream, events := range c.streams {
		last := events[len(events)-1].Revision
		leaf := c.found[evidence.Ref{Stream: stream, Revision: last}]
		issue.Heads = append(issue.Heads, account.Head{Stream: stream, Revision: last, Leaf: leaf.Hash.String()})
	}
	slices.SortFunc(issue.Heads, func(a, b account.Head) int { return cmp.Compare(a.Stream, b.Stream) })
	if _, err := c.loop.IssueBundle(ctx, issue, m); err != nil {
		return err
	}
	return errors.Join(c.load(ctx, c.home), c.find(ctx))
}

// contents puts the bundle together.
func (c *collecting) contents(ctx context.Context) (bundle.Contents, error) {
	items, err := c.items()
	if err != nil {
		return bundle.Contents{}, err
	}
	contents := bundle.Contents{
		About: c.order.About, Paper: pdf.Documents{}.Evidence,
		Report: bundle.Report{Title: "History of " + c.order.Client, Firm: c.order.Scope.Settings.Name},
		Events: func(yield func(bundle.Item, error) bool) {
			for _, i := range items {
				if !yield(i, ctx.Err()) {
					return
				}
			}
		},
	}
	stream, _, _ := strings.Cut(c.order.About, " ")
	if kind, _, _ := domain.ParseStream(stream); kind != "" && kind != account.Aggregate.Category {
		contents.Report.Title = "History of one " + kind + " of " + c.order.Client
	}
	if contents.Documents, err = c.documents(); err != nil {
		return bundle.Contents{}, err
	}
	heads, err := c.seals.store.Heads(ctx)
	if err != nil {
		return bundle.Contents{}, err
	}
	for _, head := range heads {
		last := int64(-1)
		for _, i := range items {
			if i.Epoch == head.Epoch && head.Firm == c.order.Scope.Firm {
				last = i.Index
			}
		}
		if last < 0 {
			continue
		}
		log, err := c.log(ctx, head, last)
		if err != nil {
			return bundle.Contents{}, err
		}
		contents.Logs = append(contents.Logs, log)
		if contents.Signer, err = c.seals.keys.signer(head.Log); err != nil {
			return bundle.Contents{}, err
		}
	}
	return contents, nil
}

// log is what a bundle needs of one log, whose last leaf in it is that one: the first seal that covers it, so that a
// later bundle knows which seal this one had.
func (c *collecting) log(ctx context.Context, head evidence.Head, last int64) (bundle.LogContents, error) {
	covering, err := c.seals.store.Checkpoints(ctx, head.ID, last, 1)
	if err != nil {
		return bundle.LogContents{}, err
	}
	if len(covering) == 0 {
		return bundle.LogContents{}, fmt.Errorf("no seal covers leaf %d of %s: run `atrium audit monitor`", last, head.Origin())
	}
	seal := covering[0]
	l := bundle.LogContents{Epoch: head.Epoch, Signed: seal.Signed, Hashes: evidence.Hashes(ctx, c.seals.store, head.ID, seal.Size)}
	if head.Cosigned.Size == seal.Size {
		l.Signed = head.Cosigned.Signed
	}
	for _, e := range c.streams[c.home] {
		leaf := c.found[evidence.Ref{Stream: e.Stream, Revision: e.Revision}]
		if e.Type != (account.BundleIssued{}).EventType() || leaf.Epoch != head.Epoch {
			continue
		}
		earlier, err := c.seals.store.Checkpoints(ctx, head.ID, leaf.Index, 1)
		if err != nil {
			return l, err
		}
		if len(earlier) > 0 {
			l.Earlier = append(l.Earlier, earlier[0].Size)
		}
	}
	if c.order.Since > 0 {
		l.Earlier = append(l.Earlier, c.order.Since)
	}
	slices.Sort(l.Earlier)
	l.Earlier = slices.DeleteFunc(slices.Compact(l.Earlier), func(size int64) bool { return size >= seal.Size })
	return l, nil
}

// items are the events of the bundle in their order. What the reader may not see is withheld, but for the events that say what was handed out.
func (c *collecting) items() ([]bundle.Item, error) {
	var items []bundle.Item
	for _, events := range c.streams {
		var previous tlog.Hash
		for _, e := range events {
			ref := evidence.Ref{Stream: e.Stream, Revision: e.Revision}
			found := c.found[ref]
			i := bundle.Item{
				Place: bundle.Place{Epoch: found.Epoch, Index: found.Index}, Leaf: evidence.LeafOf(strconv.Itoa(found.Epoch), e, previous),
			}
			previous = found.Hash
			line, shown := c.shown[ref]
			if shown {
				i.Line = bundle.Line{Time: line.Time, Did: line.Sentence}
			}
			if c.mayShow(e, shown) {
				i.Data, i.Metadata = e.Data, e.Metadata
			}
			if shown {
				var err error
				if i.Disclosed, err = c.disclosed(e); err != nil {
					return nil, err
				}
			}
			items = append(items, i)
		}
	}
	slices.SortFunc(items, func(a, b bundle.Item) int {
		return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Index, b.Index))
	})
	return items, nil
}

// mayShow tells whether the contents of an event go into the bundle. What was handed out to somebody else names
// streams that a contact may not know of.
func (c *collecting) mayShow(e domain.Recorded, shown bool) bool {
	if e.Type != (account.BundleIssued{}).EventType() || shown && c.order.Scope.Staff() {
		return shown
	}
	var issued bundle.Issued
	return json.Unmarshal(e.Data, &issued) == nil && issued.About == c.order.About
}

// openToClients are the kinds of records whose texts a client sees on their pages; reasons are the firm's own.
var openToClients = []string{contract.Aggregate.Category, "invoice", "payment"}

// disclosed are the personal values of an event that its reader may see. Where staff work from nobody learns.
func (c *collecting) disclosed(e domain.Recorded) (d bundle.Disclosed, err error) {
	if d.Data, d.Metadata, err = c.codec.Disclose(e); err != nil {
		return d, err
	}
	scope := c.order.Scope
	own := "contact:"
	if !scope.Staff() {
		own += scope.Actor.ID.String()
		kind, _, _ := domain.ParseStream(e.Stream)
		if !slices.Contains(openToClients, kind) {
			d.Data = nil
		}
		delete(d.Data, ".reason")
	}
	sealed, err := domain.FindSealed(e.Metadata)
	for _, s := range sealed {
		if !strings.HasPrefix(s.Subject, own) {
			delete(d.Metadata, s.Path)
		}
	}
	return d, err
}

// documents are the texts of contracts as they were sent, whose SHA-256 the events name.
func (c *collecting) documents() (list []bundle.Document, err error) {
	for _, stream := range slices.Sorted(maps.Keys(c.streams)) {
		if kind, _, _ := domain.ParseStream(stream); kind != contract.Aggregate.Category {
			continue
		}
		var text string
		for _, e := range c.streams[stream] {
			fact, err := c.codec.Decode(e)
			if err != nil {
				return nil, err
			}
			switch said := fact.Event.(contract.Event).(type) {
			case contract.Drafted:
				text = said.Title.Reveal() + "\n\n" + said.Body.Reveal()
			case contract.DraftChanged:
				text = said.Title.Reveal() + "\n\n" + said.Body.Reveal()
			case contract.Sent:
				title, body, _ := strings.Cut(text, "\n\n")
				if _, shown := c.shown[evidence.Ref{Stream: stream, Revision: e.Revision}]; shown && contract.Digest(title, body) == said.SHA256 {
					sent := []byte(text)
					list = append(list, bundle.Document{Name: stream + ".txt", Open: func() (io.ReadCloser, error) {
						return io.NopCloser(bytes.NewReader(sent)), nil
					}})
				}
			case contract.Opened, contract.DisclosureShown, contract.Viewed, contract.ConsentGiven, contract.ConsentWithdrawn,
				contract.SignatureAdopted, contract.Signed, contract.Completed, contract.CopyDelivered, contract.Declined, contract.Voided:
			}
		}
	}
	return list, nil
}
