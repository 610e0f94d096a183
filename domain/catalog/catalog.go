// Package catalog is the one list of aggregates. Whatever needs every event type (the codec, the feed's filter, the
// documentation) starts here.
package catalog

import (
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/audit"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/login"
	"github.com/atrium-portal/atrium/domain/numbering"
	"github.com/atrium-portal/atrium/domain/payment"
	"github.com/atrium-portal/atrium/domain/project"
	"github.com/atrium-portal/atrium/domain/slug"
)

// Types lists every aggregate.
func Types() []domain.Type {
	return []domain.Type{
		firm.Aggregate.Type(),
		account.Aggregate.Type(),
		contact.Aggregate.Type(),
		login.Aggregate.Type(),
		access.Aggregate.Type(),
		audit.Aggregate.Type(),
		numbering.Aggregate.Type(),
		slug.Aggregate.Type(),
		project.Aggregate.Type(),
		invoice.Aggregate.Type(),
		payment.Aggregate.Type(),
		contract.Aggregate.Type(),
	}
}

// Prefixes lists the stream name prefixes of all categories ("invoice-"), for the feed's filter.
func Prefixes() []string {
	var prefixes []string
	for _, t := range Types() {
		prefixes = append(prefixes, t.Category+"-")
	}
	return prefixes
}
