package commands

import (
	"context"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// What is sent says who sent it to whom, as both were then: the document must not change when one of them moves.

// setParties puts the firm and the client as they are now into an invoice that is about to be sent.
func setParties(ctx context.Context, l *Loop, c invoice.Send, m domain.Meta) (invoice.Send, error) {
	own, client, err := l.parties(ctx, m)
	c.Seller = invoice.Seller{
		Name: own.Name, Address: own.Address, TaxID: own.TaxID, Payment: own.PaymentDetails, NumberFormat: own.NumberFormat, Color: own.PrimaryColor,
	}
	c.Buyer = invoice.Buyer{Name: client.Name, Address: client.Address, TaxID: client.TaxID}
	return c, err
}

// setContractParties does the same for a contract.
func setContractParties(ctx context.Context, l *Loop, c contract.Send, m domain.Meta) (contract.Send, error) {
	own, client, err := l.parties(ctx, m)
	c.Parties = contract.Parties{
		Firm: own.Name, FirmAddress: own.Address, Client: client.Name, ClientAddress: client.Address, TimeZone: own.TimeZone, Color: own.PrimaryColor,
	}
	return c, err
}

// parties are the firm and the account of m.
func (l *Loop) parties(ctx context.Context, m domain.Meta) (firm.Settings, account.DetailsChanged, error) {
	own, _, err := State(ctx, l, firm.Aggregate, m.Firm)
	if err != nil {
		return firm.Settings{}, account.DetailsChanged{}, err
	}
	client, _, err := State(ctx, l, account.Aggregate, m.Account)
	return own.Settings, client.Details, err
}
