package imports

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
)

// Dispatcher runs commands; *commands.Loop is one.
type Dispatcher interface {
	Dispatch(context.Context, commands.Order) (commands.Receipt, error)
}

// Options of an import.
type Options struct {
	Dispatcher   Dispatcher
	Firm         domain.ID
	FirmCurrency string // of clients whose currency the file does not tell
	Kind         string // Clients or Invoices
	From         string // InvoiceNinja or FreshBooks
	File         io.Reader
	Name         string // of the file, for messages
	DryRun       bool   // check everything, change nothing

	// Exists tells whether there is an account, and its currency.
	Exists func(ctx context.Context, account domain.ID) (currency string, ok bool, err error)
	// Imported tells whether there is an invoice. Only a dry run asks; nil: it counts every invoice as new.
	Imported func(ctx context.Context, invoice domain.ID) (bool, error)
	// Progress is told how many accounts or invoices are done, one call at a time; nil: nobody is.
	Progress func(done, total int)
	Now      func() time.Time
}

// workers is how many accounts or invoices are worked on at a time: while the store makes the events of one durable,
// the next ones are under way.
const workers = 8

// Run imports a file. Rows that cannot be imported are problems of the summary, and the rest is imported. A file that
// is not the export it should be is an error, and nothing is done. When the store fails or ctx ends, the error comes
// with a summary of what was done so far; the same import again does the rest.
func Run(ctx context.Context, o Options) (Summary, error) {
	s := Summary{File: o.Name, From: o.From, Kind: o.Kind, DryRun: o.DryRun}
	if !slices.Contains(Kinds(), o.Kind) || !slices.Contains(Sources(), o.From) {
		return s, fmt.Errorf("cannot import %q from %q: give one of %s, from one of %s", o.Kind, o.From, strings.Join(Kinds(), ", "), strings.Join(Sources(), ", "))
	}
	data, err := readFile(o.File, o.Name)
	if err != nil {
		return s, err
	}
	table, err := readSheet(data, o.Name, o.From, o.Kind)
	if err != nil {
		return s, err
	}
	s.Rows = len(table.rows)
	im := importer{Options: o, now: o.Now()}
	var jobs []*job
	if o.Kind == Clients {
		jobs = im.clients(table)
	} else {
		jobs, err = im.invoices(ctx, table)
	}
	if err != nil {
		return s, err
	}
	if o.DryRun {
		err = im.look(ctx, jobs)
	} else {
		err = im.give(ctx, jobs)
	}
	s.add(jobs)
	s.Problems = append(s.Problems, im.problems...)
	slices.SortStableFunc(s.Problems, func(a, b RowProblem) int { return a.Line - b.Line })
	return s, err
}

// importer is one import under way.
type importer struct {
	Options
	now      time.Time
	problems []RowProblem
}

func (im *importer) problem(line int, format string, args ...any) {
	im.problems = append(im.problems, RowProblem{line, fmt.Sprintf(format, args...)})
}

// job is an account or an invoice to be made: its commands in order, decided in memory already.
type job struct {
	line   int    // of its first row
	what   string // "invoice 12"
	orders []commands.Order
	person *commands.Order // adds the contact that an account is opened with, which the loop does by itself
	billed *Totals         // of an invoice that is sent

	done     bool
	known    bool   // it was there before
	appended int    // events
	reason   string // why it was not made, or not all of it
}

// order is a command of the importer. Its id derives from key, and digest is what the file says: so the same command
// with other content is found out.
func (im *importer) order(name string, command any, digest string, key ...string) commands.Order {
	return commands.Order{Name: name, Command: command, Meta: domain.Meta{
		Firm: im.Firm, Actor: domain.SystemActor("import"), Command: im.id(key...), Digest: digest,
	}}
}

// id derives an id of this firm's imports.
func (im *importer) id(key ...string) domain.ID {
	return domain.DeriveID(slices.Concat([]string{"import", im.Firm.String()}, key)...)
}

// digest identifies content.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// rehearse decides an order's command on a state as it will be then, and folds in what it decides.
func rehearse[S any, E domain.Event, C commands.Decider[S, E]](im *importer, a domain.Aggregate[S, E], s S, c C, o commands.Order) (S, error) {
	m := o.Meta
	m.Time = im.now
	events, err := c.Decide(s, m)
	for _, e := range events {
		s = a.Evolve(s, e)
	}
	return s, err
}

// give runs the commands of all jobs. The first failure that is not a row's own stops it.
func (im *importer) give(ctx context.Context, jobs []*job) error {
	var (
		group  errgroup.Group
		failed atomic.Bool
		mu     sync.Mutex
		done   int
	)
	group.SetLimit(workers)
	for _, j := range jobs {
		if failed.Load() || ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			if err := im.run(ctx, j); err != nil {
				failed.Store(true)
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if done++; im.Progress != nil {
				im.Progress(done, len(jobs))
			}
			return nil
		})
	}
	if err := errors.Join(group.Wait(), ctx.Err()); err != nil {
		return fmt.Errorf("the import stopped before its end; run it again to continue: %w", err)
	}
	return nil
}

// run gives the commands of one job.
func (im *importer) run(ctx context.Context, j *job) error {
	for _, o := range j.orders {
		receipt, err := im.Dispatcher.Dispatch(ctx, o)
		if fault, ok := errors.AsType[*domain.Fault](err); ok && ofRow(fault) {
			j.reason = reason(j.what, fault)
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d, %s: %w", j.line, j.what, err)
		}
		if !receipt.Repeated {
			j.appended += len(receipt.Events)
		}
	}
	j.done, j.known = true, j.appended == 0
	return nil
}

// ofRow tells a fault of the row from a failure that the next row would meet as well.
func ofRow(f *domain.Fault) bool {
	switch f.Kind {
	case domain.Invalid, domain.Malformed, domain.Refused, domain.NotFound, domain.Stale, domain.TooLarge:
		return true
	case domain.Internal, domain.Unauthenticated, domain.Forbidden, domain.Throttled, domain.Unavailable, domain.StorageFull:
	}
	return false
}

// reason says in a line why something was not imported.
func reason(what string, err error) string {
	fault, ok := errors.AsType[*domain.Fault](err)
	if !ok {
		return what + ": " + err.Error()
	}
	if fault.Code == "idempotency-mismatch" {
		return what + " was imported before with other content; what was imported stays as it is"
	}
	text := what + ":"
	for _, f := range append([]*domain.Fault{fault}, fault.More...) {
		text += " " + f.Message
		if f.Field != "" {
			text += " (" + f.Field + ")"
		}
	}
	return text
}

// look says what give would do.
func (im *importer) look(ctx context.Context, jobs []*job) error {
	for i, j := range jobs {
		var err error
		first := j.orders[0].Meta
		switch {
		case im.Kind == Clients:
			_, j.known, err = im.Exists(ctx, first.NewID("account"))
		case im.Imported != nil:
			j.known, err = im.Imported(ctx, first.NewID("invoice"))
		}
		if err != nil {
			return err
		}
		if j.done = true; im.Progress != nil {
			im.Progress(i+1, len(jobs))
		}
	}
	return nil
}
