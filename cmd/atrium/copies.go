package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/atrium-portal/atrium/cmd/internal/pdf"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// copies draws signed contracts as their signers download them from the portal at base.
type copies struct {
	*stack
	base string
}

// SignedCopy implements reactors.Copies. It fails while the read models or the seals are behind, so that what is recorded
// is the file that everybody gets; whoever asked asks again.
func (c copies) SignedCopy(ctx context.Context, firm, id domain.ID) (string, error) {
	scope, err := c.wholeFirm(ctx, firm)
	if err != nil {
		return "", err
	}
	reader, err := readapi.NewReader(readapi.Pools{Client: c.pools.ClientReader, Staff: c.pools.StaffReader}, c.engine, nil, c.now)
	if err != nil {
		return "", err
	}
	reading := reader.Read(scope)
	paper := readapi.Paper[readapi.ContractPaper](reading, id.String(), nil)
	if err := reading.Run(ctx); err != nil {
		return "", err
	}
	if paper.Status != string(contract.StatusComplete) {
		return "", fmt.Errorf("the read models do not show contract %s as complete yet", id)
	}
	c.seals.Await(ctx, reading.Position())
	paper.VerifyAt(c.base)
	paper.Seal = c.seals.Covering(ctx, firm, domain.StreamName(contract.Aggregate.Category, id), paper.CompletedIn)
	if paper.Seal == "" {
		return "", fmt.Errorf("contract %s is not sealed yet", id)
	}
	file, err := pdf.Documents{}.Contract(paper)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:]), nil
}

// wholeFirm is the scope of the program itself, which reads all that a firm has.
func (k *stack) wholeFirm(ctx context.Context, firm domain.ID) (*auth.Scope, error) {
	settings, _, err := (people{k.loop}).Firm(ctx, firm)
	return &auth.Scope{Firm: firm, Actor: domain.Actor{Kind: domain.Staff}, ShowHistory: true, Unreleased: true, Settings: settings}, err
}
