package commands

import (
	"context"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/domain/account"
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

// Atrium is the menu of the product: every command and who may use it. The program itself (imports, the demo, the
// clock) may use what a person of the firm may, except where that person must be one.
func Atrium() *Menu {
	var (
		program       = Who{System: true}
		administrator = Who{Staff: firm.Administrator, System: true}
		manager       = Who{Staff: firm.Manager, System: true}
		member        = Who{Staff: firm.Member, System: true}
		payer         = Who{Client: string(contact.PayInvoices)}
		step          = Who{} // only as part of another command
	)
	m := NewMenu()

	Create(m, firm.Aggregate, "CreateFirm", firm.Create{}, program, Before(claimSlug))
	On(m, firm.Aggregate, "ChangeFirmSettings", firm.ChangeSettings{}, administrator)
	On(m, firm.Aggregate, "SetFirmLogo", firm.SetLogo{}, administrator, Before(keepLogo))
	On(m, firm.Aggregate, "RemoveFirmLogo", firm.RemoveLogo{}, administrator)
	On(m, firm.Aggregate, "RebuildTables", firm.Rebuild{}, administrator)
	On(m, firm.Aggregate, "EndRebuild", firm.EndRebuild{}, program)
	On(m, firm.Aggregate, "PutBackTables", firm.PutBackTables{}, administrator)
	On(m, firm.Aggregate, "InviteStaff", firm.Invite{}, administrator, Before(claimForStaff))
	On(m, firm.Aggregate, "ChangeStaffRole", firm.ChangeRole{}, administrator)
	On(m, firm.Aggregate, "DeactivateStaff", firm.Deactivate{}, administrator)

	Create(m, account.Aggregate, "OpenAccount", account.Open{}, manager, Before(claimForFirstContact))
	On(m, account.Aggregate, "ChangeAccountDetails", account.ChangeDetails{}, manager)
	On(m, account.Aggregate, "CloseAccount", account.Close{}, manager)
	On(m, account.Aggregate, "ReopenAccount", account.Reopen{}, manager)
	On(m, account.Aggregate, "ChangeAccountModules", account.ChangeModules{}, manager)
	On(m, account.Aggregate, "IssueBundle", account.IssueBundle{}, step)
	On(m, account.Aggregate, "NoteJoined", account.NoteJoined{}, step)
	On(m, account.Aggregate, "NoteLeft", account.NoteLeft{}, step)

	Create(m, contact.Aggregate, "AddContact", contact.Add{}, member, Before(claimForNewContact))
	On(m, contact.Aggregate, "ChangeContactDetails", contact.ChangeDetails{}, member.or(Self), Before(claimForContact))
	On(m, contact.Aggregate, "SetNotifications", contact.SetNotifications{}, member.or(Self))
	On(m, contact.Aggregate, "GrantPortalAccess", contact.Grant{}, manager)
	On(m, contact.Aggregate, "ChangePermissions", contact.ChangePermissions{}, manager)
	On(m, contact.Aggregate, "RevokePortalAccess", contact.Revoke{}, manager)
	On(m, contact.Aggregate, "FreezeAccess", contact.Freeze{}, member)
	On(m, contact.Aggregate, "UnfreezeAccess", contact.Unfreeze{}, manager)
	On(m, contact.Aggregate, "LinkContact", contact.Link{}, manager, Before(checkLinked))
	On(m, contact.Aggregate, "UnlinkContact", contact.Unlink{}, manager)
	On(m, contact.Aggregate, "MergeContacts", contact.Merge{}, manager, Before(findDuplicate))
	On(m, contact.Aggregate, "RetireContact", contact.Retire{}, step)

	Create(m, project.Aggregate, "OpenProject", project.Open{}, member)
	On(m, project.Aggregate, "AdvanceStage", project.Advance{}, member)
	On(m, project.Aggregate, "SetHealth", project.SetHealth{}, member)
	On(m, project.Aggregate, "AssignTeamMember", project.Assign{}, member, Before(checkTeamMember))
	On(m, project.Aggregate, "RemoveTeamMember", project.Remove{}, member)
	On(m, project.Aggregate, "CompleteProject", project.Complete{}, member)
	On(m, project.Aggregate, "ReopenProject", project.Reopen{}, manager)

	Create(m, invoice.Aggregate, "DraftInvoice", invoice.Draft{}, manager, Before(setCurrency))
	On(m, invoice.Aggregate, "ChangeDraft", invoice.ChangeDraft{}, manager)
	On(m, invoice.Aggregate, "SendInvoice", invoice.Send{}, manager, Before(takeInvoiceNumber), Before(setParties))
	On(m, invoice.Aggregate, "RecordPayment", invoice.RecordPayment{}, manager, Before(takeReceiptNumber))
	On(m, invoice.Aggregate, "RefundPayment", invoice.RefundPayment{}, manager)
	On(m, invoice.Aggregate, "MatchRefunds", invoice.MatchRefunds{}, step)
	On(m, invoice.Aggregate, "IssueCreditNote", invoice.IssueCreditNote{}, manager, Before(takeCreditNoteNumber))
	On(m, invoice.Aggregate, "VoidInvoice", invoice.Void{}, manager)
	On(m, invoice.Aggregate, "QuestionInvoice", invoice.Question{}, Who{Client: string(contact.ViewInvoices)}, Before(findAsker))
	On(m, invoice.Aggregate, "AnswerQuestion", invoice.Answer{}, member)
	On(m, invoice.Aggregate, "MarkOverdue", invoice.MarkOverdue{}, program)

	On(m, payment.Aggregate, "StartPayment", payment.Start{}, payer, Upsert[payment.Start](), Locate(findAttempt))
	On(m, payment.Aggregate, "CancelPayment", payment.Cancel{}, manager.or(string(contact.PayInvoices)), Before(checkPayer))
	On(m, payment.Aggregate, "HandOverPayment", payment.HandOver{}, program)
	On(m, payment.Aggregate, "ReportPayment", payment.Report{}, program)
	On(m, payment.Aggregate, "ReportRefund", payment.ReportRefund{}, program)
	On(m, payment.Aggregate, "FlagPayment", payment.Flag{}, step)
	On(m, payment.Aggregate, "ClosePaymentReview", payment.CloseReview{}, manager)

	Create(m, contract.Aggregate, "DraftContract", contract.Draft{}, manager)
	On(m, contract.Aggregate, "ChangeContractDraft", contract.ChangeDraft{}, manager)
	On(m, contract.Aggregate, "SendContract", contract.Send{}, manager, Before(setContractParties))
	On(m, contract.Aggregate, "ViewContract", contract.View{}, Who{Client: string(contact.ViewContracts)})
	On(m, contract.Aggregate, "SignContract", contract.Sign{}, Who{Staff: firm.Member, System: true, Client: string(contact.SignContracts)})
	On(m, contract.Aggregate, "ConsentToSigning", contract.Consent{}, Who{Client: string(contact.SignContracts)})
	On(m, contract.Aggregate, "WithdrawConsent", contract.WithdrawConsent{}, Who{Client: string(contact.SignContracts)})
	On(m, contract.Aggregate, "DeclineContract", contract.Decline{}, Who{Client: string(contact.SignContracts)})
	On(m, contract.Aggregate, "VoidContract", contract.Void{}, manager)
	On(m, contract.Aggregate, "DeliverCopy", contract.DeliverCopy{}, program)

	On(m, numbering.Aggregate, "ReserveNumber", numbering.Reserve{}, step, Upsert[numbering.Reserve]())
	On(m, slug.Aggregate, "ClaimSlug", slug.Claim{}, step, Upsert[slug.Claim]())
	On(m, login.Aggregate, "ClaimLogin", login.Claim{}, step, Upsert[login.Claim]())
	On(m, login.Aggregate, "ReleaseLogin", login.Release{}, step)
	On(m, access.Aggregate, "RecordAccess", access.Record{}, step, Upsert[access.Record]())

	Whenever(m, addFirstContact)
	Whenever(m, noteJoined)
	Whenever(m, noteLeft)
	Whenever(m, retireDuplicate)
	Whenever(m, releaseChangedLogin)
	Whenever(m, releaseMergedLogin)
	Whenever(m, releaseStaffLogin)
	Whenever(m, recordOnlinePayment)
	Whenever(m, recordOnlineRefund)
	Whenever(m, closePageWhenPaid)
	Whenever(m, closePageWhenCredited)
	Whenever(m, closePageWhenVoid)
	return m
}

// or also lets contacts with a permission use the command.
func (w Who) or(permission string) Who {
	w.Client = permission
	return w
}

func claimForStaff(ctx context.Context, l *Loop, c firm.Invite, m domain.Meta) (firm.Invite, error) {
	return c, l.claimLogin(ctx, c.Email.Reveal(), login.Staff, m.NewID("staff"), m)
}

func claimForFirstContact(ctx context.Context, l *Loop, c account.Open, m domain.Meta) (account.Open, error) {
	return c, inField("contact.", l.claimLogin(ctx, c.Contact.Email.Reveal(), login.Contact, m.NewID("contact"), m))
}

func claimForNewContact(ctx context.Context, l *Loop, c contact.Add, m domain.Meta) (contact.Add, error) {
	return c, l.claimLogin(ctx, c.Email.Reveal(), login.Contact, m.Target, m)
}

func claimForContact(ctx context.Context, l *Loop, c contact.ChangeDetails, m domain.Meta) (contact.ChangeDetails, error) {
	if c.Email == nil {
		return c, nil
	}
	return c, l.claimLogin(ctx, c.Email.Reveal(), login.Contact, m.Target, m)
}

// checkTeamMember makes sure that whoever joins a project works for the firm.
func checkTeamMember(ctx context.Context, l *Loop, c project.Assign, m domain.Meta) (project.Assign, error) {
	settings, _, err := State(ctx, l, firm.Aggregate, m.Firm)
	if err == nil && !settings.Staff[c.Staff].Active {
		err = &domain.Fault{Kind: domain.Invalid, Code: "unknown-staff", Field: "staff", Message: "There is no such staff member here."}
	}
	return c, err
}
