package demo

import (
	"slices"
	"strconv"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/firm"
)

// firstStep is the day on which the story begins; days are counted from the day on which it is told, which is 0.
const firstStep = -366

// zone is where the firm is.
func zone() *time.Location { return firm.Settings{TimeZone: timeZone}.Location() }

const timeZone = "Europe/Berlin"

func firmID() domain.ID { return domain.DeriveID("demo", "firm") }

// setup is the program itself, which brings the firm's first administrator.
func setup() domain.Actor { return domain.SystemActor("setup") }

// story is the steps told so far.
type story struct {
	today domain.Date
	zone  *time.Location
	steps []commands.Order
}

// tell gives the cast and all steps of the story in the order of time.
func tell(today domain.Date) (Demo, []commands.Order) {
	s := &story{today: today, zone: zone()}
	cast := s.people()
	work := s.projects(cast)
	s.invoices(cast, work)
	s.contracts(cast, work)
	slices.SortStableFunc(s.steps, func(a, b commands.Order) int { return a.Meta.Time.Compare(b.Meta.Time) })
	return cast.demo(), s.steps
}

// date is a day of the story, for terms and other days to come.
func (s *story) date(day int) domain.Date { return s.today.AddDays(day) }

// workday is a day of the story on which people work: on weekends, the Friday before. Steps that depend on each
// other are on the same day, in the order of the clock, or at least three days apart.
func (s *story) workday(day int) domain.Date {
	d := s.date(day)
	switch d.Time().Weekday() {
	case time.Saturday:
		return d.AddDays(-1)
	case time.Sunday:
		return d.AddDays(-2)
	default:
		return d
	}
}

// moment is a day and a time of day in the story; the hour 9_30 is half past nine.
type moment struct{ day, hour int }

// at is a moment when people work.
func at(day, hour int) moment { return moment{day, hour} }

// next is the moment some minutes later on the same day.
func (m moment) next(minutes int) moment {
	total := m.hour/100*60 + m.hour%100 + minutes
	return moment{m.day, total/60*100 + total%60}
}

// do adds a step: somebody gives a command. Its id derives from its name and key, so the two together must be new.
func (s *story) do(who domain.Actor, when moment, key, name string, command any) domain.Meta {
	day := s.workday(when.day)
	if who.Kind == domain.System {
		day = s.date(when.day) // the program does not rest
	}
	m := domain.Meta{
		Firm: firmID(), Actor: who, Command: domain.DeriveID("demo", name, key),
		Time: time.Date(day.Year, day.Month, day.Day, when.hour/100, when.hour%100, 0, 0, s.zone),
	}
	if who.Kind == domain.Client {
		m.Proof = domain.Proof{Method: "link", At: m.Time}
	}
	s.steps = append(s.steps, commands.Order{Name: name, Command: command, Meta: m})
	return m
}

// on makes a key for one of several steps of a kind on one thing.
func on(key string, when moment) string { return key + ", day " + strconv.Itoa(when.day) }
