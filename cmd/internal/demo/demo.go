package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
)

// Options of the demo.
type Options struct {
	Loop *commands.Loop
	Now  func() time.Time
	// Progress is told how many steps of the story are done; nil: nobody is.
	Progress func(done, total int)
}

// Demo says who is who at the demo firm.
type Demo struct {
	Firm    domain.ID
	Name    string
	Staff   []Staff  // the administrator first
	Clients []Client // the owners of the three accounts first
}

// Staff is a member of the demo firm's staff.
type Staff struct {
	ID          domain.ID
	Name, Email string
	Role        firm.Role
}

// Client is a contact of one of the demo firm's clients.
type Client struct {
	ID          domain.ID
	Name, Email string
	Role        contact.Role
	Frozen      bool // shut out of the portal
	AccountID   domain.ID
	Account     string // name of the account
}

// Make makes the demo firm, or what is missing of it. Where all of it is there it changes nothing, whatever people
// have done with it since.
func Make(ctx context.Context, o Options) (Demo, error) {
	day, err := firstDay(ctx, o)
	if err != nil {
		return Demo{}, err
	}
	made, steps := tell(day)
	last := steps[len(steps)-1]
	told, err := given(ctx, o.Loop, last)
	if err != nil || told {
		return made, err
	}
	for i, step := range steps {
		if _, err := o.Loop.Dispatch(ctx, step); err != nil {
			return made, fmt.Errorf("demo, step %d of %d, %s at %s: %w", i+1, len(steps), step.Name, step.Meta.Time.Format(time.DateTime), err)
		}
		if o.Progress != nil {
			o.Progress(i+1, len(steps))
		}
	}
	return made, nil
}

// target is the id of the thing that a step acts on or makes.
func target(l *commands.Loop, o commands.Order) domain.ID {
	if c, ok := o.Command.(interface{ Target() domain.ID }); ok {
		return c.Target()
	}
	if o.Target != domain.NoID {
		return o.Target
	}
	return o.Meta.NewID(l.Menu.Entry(o.Name).Category)
}

// firstDay is the day on which the story is told for the first time: today, or, where the firm exists, the day that its
// first event leads back to.
func firstDay(ctx context.Context, o Options) (domain.Date, error) {
	recorded, err := o.Loop.Log.Load(ctx, domain.StreamName(firm.Aggregate.Category, firmID()), 0)
	if err != nil || len(recorded) == 0 {
		return domain.DateOf(o.Now(), zone()), err
	}
	created, err := o.Loop.Codec.Decode(recorded[0])
	return domain.DateOf(created.Meta.Time, zone()).AddDays(-firstStep), err
}

// given reports whether a step was given before.
func given(ctx context.Context, l *commands.Loop, step commands.Order) (bool, error) {
	stored, err := l.Log.Load(ctx, domain.StreamName(l.Menu.Entry(step.Name).Category, target(l, step)), 0)
	if err != nil {
		return false, err
	}
	for _, r := range stored {
		if f, err := l.Codec.Decode(r); err != nil || f.Meta.Command == step.Meta.Command {
			return err == nil, err
		}
	}
	return false, nil
}
