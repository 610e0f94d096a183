// Package gateway holds the payment providers behind reactors.Gateway: Stripe, and a simulator for development.
//
// # What lives here
//
//   - Stripe: pages made by Stripe Checkout, and Webhook, which takes Stripe's messages.
//   - Simulator: pages of its own under /dev/gateway on which a developer chooses how a payment ends.
//
// It may import commands/reactors, domain and the provider's library.
//
// # To add a provider
//
// A type with Open, Look and Close, an http.Handler for its messages that calls Hear, and a name for --gateway. The name
// is stored with every attempt; it never changes.
//
// # Decisions
//
// Of a provider's message only the ids are used, after its origin was checked; what happened is then asked of the
// provider. So messages that are repeated, late or out of order do no harm, and neither does a change of their format.
// The price is one more request for each.
package gateway

import (
	"context"
	"strings"

	"github.com/atrium-portal/atrium/commands/reactors"
)

// Hear acts on a notice whose origin was checked. When it returns nil, what the notice is about is stored.
type Hear func(ctx context.Context, n reactors.Notice) error

// returnTo is where somebody comes back to from the provider's page. The page there only reads.
func returnTo(base string, b reactors.Bill) string {
	return strings.TrimSuffix(base, "/") + "/invoices/" + b.Invoice.String() + "?payment=" + b.Attempt.String()
}
