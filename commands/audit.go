package commands

import (
	"context"
	"errors"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/audit"
)

// AuditLine is one line of the record: a fact with who, when and from where. The fact is known by the command of Meta:
// a line with the command of an earlier one is the same line.
type AuditLine struct {
	Fact audit.Event
	Meta domain.Meta
}

// RecordAudit appends lines to the streams of those who did it, with one append per stream. Meta.Account is the account
// that a line is about, none for what is of the firm itself. It returns the position of the last one.
func (l *Loop) RecordAudit(ctx context.Context, lines ...AuditLine) (last domain.Position, err error) {
	type group struct {
		at    auditPlace
		lines []AuditLine
	}
	var groups []*group
	byPlace := map[auditPlace]*group{}
	for _, line := range lines {
		if line.Meta.Time.IsZero() {
			line.Meta.Time = l.Now()
		}
		if line.Meta.Command == domain.NoID {
			return last, errors.New("commands: a line of the record without a command id")
		}
		at := placeOf(line.Meta)
		if byPlace[at] == nil {
			byPlace[at] = &group{at: at}
			groups = append(groups, byPlace[at])
		}
		byPlace[at].lines = append(byPlace[at].lines, line)
	}
	for _, g := range groups {
		position, failed := l.appendAudit(ctx, g.at, g.lines)
		if last.Before(position) {
			last = position
		}
		err = errors.Join(err, failed)
	}
	return last, err
}

// auditPlace is what the lines of one stream have in common.
type auditPlace struct {
	firm, account domain.ID
	actor         string
	month         domain.Date // its first day
}

func placeOf(m domain.Meta) auditPlace {
	month := domain.DateOf(m.Time.UTC(), m.Time.UTC().Location())
	month.Day = 1
	return auditPlace{m.Firm, m.Account, m.Actor.Ref(), month}
}

// appendAudit appends lines to the first stream of a place that has room for them.
func (l *Loop) appendAudit(ctx context.Context, at auditPlace, lines []AuditLine) (last domain.Position, err error) {
	for part := 0; len(lines) > 0; part++ {
		id := audit.StreamID(at.firm, at.account, at.actor, at.month, part)
		last, lines, err = l.appendAuditPart(ctx, id, lines)
		if err != nil {
			return last, unavailable(err)
		}
	}
	return last, nil
}

// appendAuditPart appends to one stream what it has room for and gives the rest.
func (l *Loop) appendAuditPart(ctx context.Context, id domain.ID, lines []AuditLine) (last domain.Position, rest []AuditLine, err error) {
	stream := domain.StreamName(audit.Aggregate.Category, id)
	defer l.locks.lock(stream)()
	for attempt, fresh := 0, false; ; attempt++ {
		h, err := load(ctx, l, audit.Aggregate, stream, fresh)
		if err != nil {
			return last, lines, err
		}
		last = h.position
		next := h.copy()
		var proposed []domain.Proposed
		var added []AuditLine
		rest = nil
		for _, line := range lines {
			if _, known := next.receipt(line.Meta); known {
				continue
			}
			if next.revision+1 >= maxEvents {
				rest = append(rest, line)
				continue
			}
			m := line.Meta
			m.Target = id
			if m.Correlation == domain.NoID {
				m.Correlation = m.Command
			}
			if m.Trace == "" && l.Trace != nil {
				m.Trace = l.Trace(ctx)
			}
			p, err := l.Codec.Encode(line.Fact, m, 0)
			if err != nil {
				return last, lines, err
			}
			proposed, added = append(proposed, p), append(added, line)
			next.note(m, []string{p.Type}, h.position)
		}
		if len(proposed) == 0 {
			return last, rest, nil
		}
		position, err := l.append(ctx, stream, h.revision, proposed)
		if conflict, ok := errors.AsType[*Conflict](err); ok && conflict != nil && attempt < l.Retries {
			l.cache.forget(stream)
			fresh = true
			continue
		}
		if err != nil {
			l.cache.forget(stream)
			return last, lines, err
		}
		next = h.copy()
		for i, line := range added {
			next.note(line.Meta, []string{proposed[i].Type}, position)
		}
		l.cache.put(stream, next)
		return position, rest, nil
	}
}
