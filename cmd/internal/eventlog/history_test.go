package eventlog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/atrium-portal/atrium/cmd/internal/eventnode"
	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
)

// step is one call on a stream, as the history checker sees it.
type step struct {
	id       string // of the event to append; empty for a read
	expected int64
}

type answer int

const (
	stored answer = iota
	conflicted
	unknown // or rejected on the way
)

type replied struct {
	answer answer
	ids    string // what a read has shown
}

// stream is what one stream must look like to everybody: a list of ids to which one is added when the expectation is met.
var stream = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		ids, in, out := state.(string), input.(step), output.(replied)
		fits := in.expected == int64(strings.Count(ids, ","))-1
		switch {
		case in.id == "":
			return out.ids == ids, ids
		case out.answer == stored:
			return fits, ids + in.id + ","
		default:
			return !fits, ids
		}
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprint(input, output) },
}

// settled replaces unknown outcomes by what the stream holds in the end, which is never less than before: an append that is not
// there did not happen, and one that is there may have happened at any time after its call.
func settled(history []porcupine.Operation, final string) []porcupine.Operation {
	var end int64
	for _, op := range history {
		end = max(end, op.Return)
	}
	known := history[:0]
	for _, op := range history {
		if op.Output.(replied).answer == unknown {
			id := op.Input.(step).id
			if id == "" || !slices.Contains(strings.Split(final, ","), id) {
				continue
			}
			op.Output, op.Return = replied{answer: stored}, end
		}
		known = append(known, op)
	}
	return append(known, porcupine.Operation{Call: end + 1, Return: end + 2, Input: step{}, Output: replied{ids: final}})
}

// TestHistoriesAreLinearizable records what 8 clients see of one stream while their connections are cut and answers are lost,
// and lets porcupine look for an order of all calls that explains it.
func TestHistoriesAreLinearizable(t *testing.T) {
	const clients = 8
	histories, each, faultAfter := 4, 24, 8_000 // bytes
	if long() {
		histories, each, faultAfter = 100, 200, 60_000 // or no whole stream would ever be read
	}
	var unknowns, conflicts atomic.Int64
	t.Run("histories", func(t *testing.T) {
		for h := range histories {
			t.Run(fmt.Sprint(h), func(t *testing.T) {
				t.Parallel() // most of the time somebody waits for an answer that does not come
				dir := t.TempDir()
				n := node(t, eventnode.Options{Dir: dir})
				p := newProxy(t, addressOf(n.URL()), chance(uint64(h), faultAfter, cut, halfClose, delay, swallow))
				log := opened(t, p.url(), Options{Timeout: 200 * time.Millisecond})
				history := record(t, log, clients, each)
				for _, op := range history {
					switch op.Output.(replied).answer {
					case unknown:
						unknowns.Add(1)
					case conflicted:
						conflicts.Add(1)
					case stored:
					}
				}
				if err := n.Close(); err != nil { // nothing is under way any more
					t.Fatal(err)
				}
				final := read(t, opened(t, node(t, eventnode.Options{Dir: dir}).URL(), Options{}), new(int64))
				if result := porcupine.CheckOperationsTimeout(stream, settled(history, final.ids), time.Minute); result != porcupine.Ok {
					t.Fatal(result)
				}
			})
		}
	})
	if unknowns.Load() == 0 || conflicts.Load() == 0 {
		t.Errorf("%d unknown, %d conflicts: the histories show too little", unknowns.Load(), conflicts.Load())
	}
	t.Logf("%d histories of %d calls: %d unknown, %d conflicts", histories, clients*each, unknowns.Load(), conflicts.Load())
}

func record(t *testing.T, log *Log, clients, each int) []porcupine.Operation {
	var mu sync.Mutex
	var history []porcupine.Operation
	begin := time.Now()
	var working sync.WaitGroup
	for c := range clients {
		working.Go(func() {
			last := domain.NoStream
			for i := range each {
				op := porcupine.Operation{ClientId: c, Call: time.Since(begin).Nanoseconds()}
				if i%3 == 0 {
					op.Input, op.Output = step{}, read(t, log, &last)
				} else {
					id := fmt.Sprintf("%d-%d", c, i)
					op.Input, op.Output = step{id, last}, add(t, log, id, &last)
				}
				op.Return = time.Since(begin).Nanoseconds()
				mu.Lock()
				history = append(history, op)
				mu.Unlock()
			}
		})
	}
	working.Wait()
	return history
}

func read(t *testing.T, log *Log, last *int64) replied {
	events, err := log.Load(t.Context(), "history", 0)
	if err != nil {
		return replied{answer: unknown}
	}
	*last = int64(len(events)) - 1
	var ids strings.Builder
	for _, e := range events {
		ids.WriteString(strings.Trim(string(e.Data), `"`) + ",")
	}
	return replied{ids: ids.String()}
}

func add(t *testing.T, log *Log, id string, last *int64) replied {
	_, err := log.Append(t.Context(), "history", *last, event(id))
	var conflict *commands.Conflict
	switch {
	case err == nil:
		*last++
		return replied{answer: stored}
	case errors.As(err, &conflict):
		*last++ // somebody was first; the next read tells how many
		return replied{answer: conflicted}
	}
	return replied{answer: unknown}
}

// TestTheCheckerSees gives the model histories that must not pass.
func TestTheCheckerSees(t *testing.T) {
	call := func(at int64, in step, out replied) porcupine.Operation {
		return porcupine.Operation{ClientId: int(at), Call: at, Return: at + 1, Input: in, Output: out}
	}
	for name, bad := range map[string][]porcupine.Operation{
		"lost":             {call(0, step{"a", -1}, replied{answer: stored}), call(2, step{}, replied{ids: ""})},
		"two winners":      {call(0, step{"a", -1}, replied{answer: stored}), call(2, step{"b", -1}, replied{answer: stored})},
		"doubled":          {call(0, step{"a", -1}, replied{answer: stored}), call(2, step{}, replied{ids: "a,a,"})},
		"another order":    {call(0, step{"a", -1}, replied{answer: stored}), call(2, step{"b", 0}, replied{answer: stored}), call(4, step{}, replied{ids: "b,a,"})},
		"refused the only": {call(0, step{"a", -1}, replied{answer: conflicted})},
	} {
		if porcupine.CheckOperations(stream, bad) {
			t.Errorf("%s passed", name)
		}
	}
	// An unknown append that others saw may not come late.
	late := settled([]porcupine.Operation{call(0, step{"a", -1}, replied{answer: unknown}), call(2, step{}, replied{ids: "a,"}), call(4, step{}, replied{})}, "a,")
	if porcupine.CheckOperations(stream, late) {
		t.Error("an append that came and went passed")
	}
	for _, final := range []string{"", "a,"} {
		good := settled([]porcupine.Operation{call(0, step{"a", -1}, replied{answer: unknown}), call(2, step{}, replied{})}, final)
		if !porcupine.CheckOperations(stream, good) {
			t.Errorf("an unknown append was refused that ended as %q", final)
		}
	}
}
