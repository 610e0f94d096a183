package commands

import (
	"context"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
)

// IssueBundle records that an evidence bundle is handed out to the actor of m, who may see what it holds. It returns
// the position of that fact.
func (l *Loop) IssueBundle(ctx context.Context, c account.IssueBundle, m domain.Meta) (domain.Position, error) {
	if m.Time.IsZero() {
		m.Time = l.Now()
	}
	receipt, err := l.Dispatch(ctx, Order{Name: "IssueBundle", Command: c, Meta: m, internal: true})
	return receipt.Position, err
}
