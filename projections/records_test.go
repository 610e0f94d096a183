package projections

import (
	"slices"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/numbering"
	"github.com/atrium-portal/atrium/domain/project"
)

func TestFirmAndStaff(t *testing.T) {
	settings := firm.Settings{
		Name: "North Studio", Currency: "EUR", TimeZone: "Europe/Berlin", NumberFormat: "1.234,56", ShowHistory: true,
		DefaultAudience: firm.Permitted,
	}
	changed := settings
	changed.InvoicePrefix, changed.ShowUnreleasedInvoices = "INV-", true
	changed.Address, changed.TaxID, changed.PaymentDetails, changed.PrimaryColor, changed.AccentColor = "1 Quay", "NO 1", "IBAN", "#1f5f5b", "#b4632a"
	facts := story("firm", "firm",
		firm.Created{Slug: "north", Settings: settings},
		firm.StaffInvited{Staff: id("ida"), Name: domain.P("Ida"), Email: domain.P("ida@north.example"), Role: firm.Administrator},
		firm.StaffInvited{Staff: id("bo"), Name: domain.P("Bo"), Email: domain.P("bo@north.example"), Role: firm.Member},
		firm.StaffRoleChanged{Staff: id("bo"), From: firm.Member, To: firm.Manager},
		firm.SettingsChanged{Settings: changed},
		firm.StaffDeactivated{Staff: id("bo"), Reason: domain.P("left")},
	)
	same(t, &firmRow{
		ID: id("firm"), Firm: id("firm"), Name: "North Studio", Slug: "north", Currency: "EUR", TimeZone: "Europe/Berlin",
		NumberFormat: "1.234,56", InvoicePrefix: "INV-", ShowUnreleasedInvoices: true, ShowHistory: true,
		DefaultAudience: firm.Permitted, CreatedAt: at(0),
		Address: "1 Quay", TaxID: "NO 1", PaymentDetails: "IBAN", PrimaryColor: "#1f5f5b", AccentColor: "#b4632a",
	}, row[firmRow](t, facts, "firms", id("firm")))
	same(t, &staffRow{ID: id("ida"), Firm: id("firm"), Name: "Ida", Role: firm.Administrator, Active: true},
		row[staffRow](t, facts, "staff", id("ida")))
	same(t, &staffRow{ID: id("bo"), Firm: id("firm"), Name: "Bo", Role: firm.Manager},
		row[staffRow](t, facts, "staff", id("bo")))
	same(t, &staffDetailsRow{
		ID: id("bo"), Firm: id("firm"), Email: "bo@north.example", InvitedAt: at(2), DeactivatedAt: at(5), Reason: "left",
	}, row[staffDetailsRow](t, facts, "staff_details", id("bo")))
	if visible, _ := (firmRow{}).Audience(); visible {
		t.Error("clients see the firm's own history")
	}
}

func TestAccount(t *testing.T) {
	facts := story("account", "account",
		account.Opened{Name: domain.P("Acme"), Currency: "EUR", Contact: id("ana")},
		account.DetailsChanged{Name: domain.P("Acme Ltd"), Address: domain.P("1 Road"), TaxID: domain.P("GB1"), Notes: domain.P("pays late")},
		account.Closed{Reason: domain.P("moved away")},
		account.Reopened{},
	)
	want := &accountRow{
		owned: ownedByTest("account"), Name: "Acme Ltd", Currency: "EUR", Address: "1 Road", TaxID: "GB1", PrimaryContact: id("ana"),
		Closed: true, OpenedAt: at(0), ClosedAt: at(2),
	}
	notes := &accountNotesRow{ID: id("account"), Firm: id("firm"), Notes: "pays late", CloseReason: "moved away"}
	same(t, want, row[accountRow](t, facts[:3], "accounts", id("account")))
	same(t, notes, row[accountNotesRow](t, facts[:3], "account_notes", id("account")))
	want.Closed, want.ClosedAt, notes.CloseReason = false, time.Time{}, ""
	same(t, want, row[accountRow](t, facts, "accounts", id("account")))
	same(t, notes, row[accountNotesRow](t, facts, "account_notes", id("account")))
}

func TestContact(t *testing.T) {
	facts := story("contact", "ana",
		contact.Added{Name: domain.P("Ana"), Email: domain.P("ana@acme.example"), Phone: domain.P("1"), Primary: true},
		contact.DetailsChanged{Name: domain.P("Ana B"), Email: domain.P("ana@acme.example"), Phone: domain.P("2")},
		contact.AccessGranted{Role: contact.Viewer, Permissions: contact.Viewer.Defaults()},
		contact.PermissionsChanged{RoleTo: contact.Accounts, To: []contact.Permission{contact.ViewInvoices}},
		contact.Absorbed{Duplicate: id("ana again"), Reason: domain.P("same person")},
	)
	same(t, &contactRow{
		owned: ownedByTest("ana"), Accounts: []domain.ID{id("account")}, Name: "Ana B", Email: "ana@acme.example", Phone: "2", Role: contact.Accounts,
		Permissions: []contact.Permission{contact.ViewInvoices}, Access: grantedAccess, PrimaryContact: true,
		Absorbed: []domain.ID{id("ana again")}, AddedAt: at(0),
	}, row[contactRow](t, facts, "contacts", id("ana")))
	same(t, &contactNotesRow{ID: id("ana"), Firm: id("firm"), Account: id("account"), MergeReason: "same person"},
		row[contactNotesRow](t, facts, "contact_notes", id("ana")))
	if visible, _ := (contactRow{}).Audience(); visible {
		t.Error("clients see why somebody was shut out")
	}
}

func TestNotesAboutAClientAreNoNewsForThem(t *testing.T) {
	change := func(name, notes string) account.DetailsChanged {
		return account.DetailsChanged{Name: domain.P(name), Notes: domain.P(notes)}
	}
	facts := story("account", "account",
		account.Opened{Name: domain.P("Acme"), Currency: "EUR", Contact: id("ana")}, change("Acme", "pays late"), change("Acme Ltd", "pays late"),
		change("Acme Ltd", "pays in time"), account.Closed{},
	)
	for i, want := range []bool{true, false, true, false, true} {
		if visible, recipients := row[accountRow](t, facts[:i+1], "accounts", id("account")).Audience(); visible != want || recipients != nil {
			t.Errorf("after %s: visible %v to %v, want %v", facts[i].Event.EventType(), visible, recipients, want)
		}
	}
}

func TestMemberships(t *testing.T) {
	viewer := contact.Viewer.Defaults()
	facts := story("contact", "ana",
		contact.Added{Name: domain.P("Ana")},
		contact.AccessGranted{Role: contact.Viewer, Permissions: viewer},
		contact.Linked{Account: id("bolt"), Role: contact.Viewer, Permissions: viewer},
		contact.PermissionsChanged{Account: id("bolt"), RoleTo: contact.Accounts, To: []contact.Permission{contact.ViewInvoices}},
		contact.PermissionsChanged{RoleTo: contact.Member, To: []contact.Permission{contact.Message}},
		contact.Unlinked{Account: id("bolt")},
		contact.AccessRevoked{},
		contact.AccessGranted{Role: contact.Viewer, Permissions: viewer},
		contact.Linked{Account: id("bolt"), Role: contact.Viewer, Permissions: viewer},
	)
	at0 := func(role contact.Role, permissions ...contact.Permission) *membershipRow {
		return &membershipRow{Contact: id("ana"), Account: id("account"), Firm: id("firm"), Own: true, Role: role, Permissions: permissions, Since: at(0)}
	}
	bolt := func(n int, role contact.Role, permissions ...contact.Permission) *membershipRow {
		return &membershipRow{Contact: id("ana"), Account: id("bolt"), Firm: id("firm"), Role: role, Permissions: permissions, Since: at(n)}
	}
	for n, want := range map[int][2]*membershipRow{
		1: {at0(""), nil},
		2: {at0(contact.Viewer, viewer...), nil},
		3: {at0(contact.Viewer, viewer...), bolt(2, contact.Viewer, viewer...)},
		4: {at0(contact.Viewer, viewer...), bolt(2, contact.Accounts, contact.ViewInvoices)},
		5: {at0(contact.Member, contact.Message), bolt(2, contact.Accounts, contact.ViewInvoices)},
		6: {at0(contact.Member, contact.Message), nil},
		7: {at0(""), nil},
		9: {at0(contact.Viewer, viewer...), bolt(8, contact.Viewer, viewer...)},
	} {
		for i, account := range []domain.ID{id("account"), id("bolt")} {
			same(t, want[i], row[membershipRow](t, facts[:n], "memberships", id("ana"), account))
		}
		r := row[contactRow](t, facts[:n], "contacts", id("ana"))
		if accounts := []domain.ID{id("account"), id("bolt")}; n >= 3 && !slices.Equal(r.Accounts, accounts) {
			t.Errorf("after %d: of %v", n, r.Accounts)
		}
		if own := want[0]; r.Role != own.Role || !slices.Equal(r.Permissions, own.Permissions) {
			t.Errorf("after %d: %s with %v at their own account", n, r.Role, r.Permissions)
		}
	}
}

func TestContactAccess(t *testing.T) {
	var (
		added    = contact.Added{Name: domain.P("Ana")}
		granted  = contact.AccessGranted{Role: contact.Viewer, Permissions: contact.Viewer.Defaults()}
		frozen   = contact.AccessFrozen{Reason: domain.P("mailbox stolen")}
		unfrozen = contact.AccessUnfrozen{}
		revoked  = contact.AccessRevoked{Reason: domain.P("left Acme")}
		merged   = contact.Merged{Into: id("ana")}
	)
	type outcome struct {
		Access                     contactAccess
		Role                       contact.Role
		FreezeReason, RevokeReason string
	}
	for _, c := range []struct {
		name   string
		events []domain.Event
		want   outcome
	}{
		{"never granted", []domain.Event{added}, outcome{Access: "none"}},
		{"granted", []domain.Event{added, granted}, outcome{"granted", contact.Viewer, "", ""}},
		{"frozen", []domain.Event{added, granted, frozen}, outcome{"frozen", contact.Viewer, "mailbox stolen", ""}},
		{"unfrozen", []domain.Event{added, granted, frozen, unfrozen}, outcome{"granted", contact.Viewer, "", ""}},
		{"revoked", []domain.Event{added, granted, revoked}, outcome{"revoked", "", "", "left Acme"}},
		{"revoked while frozen", []domain.Event{added, granted, frozen, revoked}, outcome{"revoked", "", "mailbox stolen", "left Acme"}},
		{
			"granted again while frozen",
			[]domain.Event{added, granted, frozen, revoked, granted},
			outcome{"frozen", contact.Viewer, "mailbox stolen", ""},
		},
		{"unfrozen when revoked", []domain.Event{added, granted, frozen, revoked, unfrozen}, outcome{"revoked", "", "", "left Acme"}},
		{"merged", []domain.Event{added, granted, merged}, outcome{"revoked", "", "", ""}},
		{"merged without access", []domain.Event{added, merged}, outcome{Access: "none"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts := story("contact", "ana again", c.events...)
			r, notes := row[contactRow](t, facts, "contacts", id("ana again")), row[contactNotesRow](t, facts, "contact_notes", id("ana again"))
			if got := (outcome{r.Access, r.Role, notes.FreezeReason, notes.RevokeReason}); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if (r.Role == "") != (len(r.Permissions) == 0) {
				t.Errorf("role %q with permissions %v", r.Role, r.Permissions)
			}
		})
	}
}

func TestProjectAndTeam(t *testing.T) {
	facts := story("project", "site",
		project.Opened{Name: domain.P("Website"), Description: domain.P("New one"), Stages: []string{"Design", "Build", "Launch"}, Stage: "Design"},
		project.MemberAssigned{Staff: id("ida"), Role: "Designer"},
		project.MemberAssigned{Staff: id("bo")},
		project.StageAdvanced{From: "Design", To: "Launch", Reason: domain.P("small job")},
		project.HealthSet{From: project.OnTrack, To: project.WaitingOnClient, Note: domain.P("we need the texts")},
		project.MemberAssigned{Staff: id("ida"), Role: "Lead"},
		project.MemberRemoved{Staff: id("bo")},
		project.Completed{},
		project.Reopened{Reason: domain.P("one more page")},
	)
	want := &projectRow{
		owned: ownedByTest("site"), Name: "Website", Description: "New one", Stages: []string{"Design", "Build", "Launch"}, Stage: "Launch",
		StageIndex: 2, Health: project.WaitingOnClient, HealthNote: "we need the texts", OpenedAt: at(0),
	}
	same(t, want, row[projectRow](t, facts, "projects", id("site")))
	want.Completed, want.CompletedAt = true, at(7)
	same(t, want, row[projectRow](t, facts[:8], "projects", id("site")))
	same(t, &projectTeamRow{
		Project: id("site"), Staff: id("ida"), Firm: id("firm"), Account: id("account"), Role: "Lead", AssignedAt: at(1),
	}, row[projectTeamRow](t, facts, "project_team", id("site"), id("ida")))
	if left := row[projectTeamRow](t, facts, "project_team", id("site"), id("bo")); left != nil {
		t.Errorf("somebody who was removed is still on the team: %+v", left)
	}
	if start := row[projectRow](t, facts[:1], "projects", id("site")); start.Health != project.OnTrack || start.StageIndex != 0 {
		t.Errorf("a new project is %s at stage %d", start.Health, start.StageIndex)
	}
}

// signing is a contract with two signers from draft to the end.
func signing(end ...domain.Event) []domain.Event {
	return append([]domain.Event{
		contract.Drafted{
			Project: id("site"), Title: domain.P("Terms"), Body: domain.P("We agree."),
			Signers: []contract.Signer{{Contact: id("ana"), Order: 1}, {Contact: id("ben"), Order: 2}},
		},
		contract.Sent{SHA256: "5ha", Signers: []domain.ID{id("ana"), id("ben")}, Parties: contract.Parties{Firm: "North", Client: domain.P("Lima"), TimeZone: "Europe/Berlin"}},
		contract.Viewed{Contact: id("ana"), SHA256: "5ha", Through: contract.Shown},
		contract.Signed{Contact: id("ana"), Name: domain.P("Ana B"), Statement: domain.P("I agree"), SHA256: "5ha", Order: 1},
	}, end...)
}

func TestContract(t *testing.T) {
	facts := story("contract", "terms", signing(
		contract.Viewed{Contact: id("ben"), SHA256: "5ha", Through: contract.Shown},
		contract.Signed{Contact: id("ben"), Name: domain.P("Ben"), Statement: domain.P("I agree"), SHA256: "5ha", Order: 2, Proof: contract.Proof{Method: "code", At: at(4)}},
		contract.Completed{SHA256: "5ha"},
	)...)
	want := contractRow{
		owned: ownedByTest("terms"), Project: id("site"), Recipients: []domain.ID{id("ana"), id("ben")}, Title: "Terms",
		Status: contract.StatusDraft, SignerCount: 2, DraftedAt: at(0),
	}
	same(t, &want, row[contractRow](t, facts[:1], "contracts", id("terms")))
	want.Status, want.Released, want.SHA256, want.SentAt, want.NextSigner = contract.StatusSent, true, "5ha", at(1), id("ana")
	want.Parties = parties{Firm: "North", Client: "Lima", TimeZone: "Europe/Berlin"}
	same(t, &want, row[contractRow](t, facts[:3], "contracts", id("terms")))
	want.SignedCount, want.NextSigner = 1, id("ben")
	same(t, &want, row[contractRow](t, facts[:4], "contracts", id("terms")))
	want.SignedCount, want.NextSigner, want.Status, want.CompletedAt = 2, domain.NoID, contract.StatusComplete, at(6)
	want.CompletedIn = 6
	same(t, &want, row[contractRow](t, facts, "contracts", id("terms")))

	same(t, &contractBodyRow{ID: id("terms"), Firm: id("firm"), Account: id("account"), Body: "We agree."},
		row[contractBodyRow](t, facts, "contract_bodies", id("terms")))
	same(t, &contractSignerRow{
		Contract: id("terms"), Contact: id("ben"), Firm: id("firm"), Account: id("account"), Place: 2, ViewedAt: at(4), SignedAt: at(5),
		Name: "Ben", Statement: "I agree", SHA256: "5ha", Event: eventID(5), ProvedBy: "code", ProvedAt: at(4),
	}, row[contractSignerRow](t, facts, "contract_signers", id("terms"), id("ben")))

	own := id("ana")
	evidence := []domain.Event{
		signing()[0], signing()[1],
		contract.Opened{Contact: own, Proof: contract.Proof{Method: "passkey", At: at(1)}},
		contract.DisclosureShown{Contact: own, Version: "7", SHA256: "d15"},
		contract.Viewed{Contact: own, SHA256: "5ha", Through: contract.Shown},
		contract.Viewed{Contact: own, SHA256: "5ha", Through: contract.ToTheEnd},
		contract.ConsentGiven{Contact: own, Disclosure: "d15"},
		contract.ConsentWithdrawn{Contact: own},
		contract.ConsentGiven{Contact: own, Disclosure: "d15"},
		contract.SignatureAdopted{Contact: own, Form: contract.Drawn, Drawing: domain.P("M1 2L3 4"), SHA256: "d2a"},
		contract.CopyDelivered{Contact: own, Channel: "email"},
	}
	signer := contractSignerRow{
		Contract: id("terms"), Contact: own, Firm: id("firm"), Account: id("account"), Place: 1, OpenedAt: at(2), OpenedBy: "passkey",
		Disclosure: "7", DisclosedAt: at(3), Disclosed: "d15", ViewedAt: at(4), ReadAt: at(5), WithdrawnAt: at(7),
	}
	same(t, &signer, row[contractSignerRow](t, story("contract", "terms", evidence[:8]...), "contract_signers", id("terms"), own))
	signer.ConsentedAt, signer.WithdrawnAt, signer.CopyAt = at(8), time.Time{}, at(10)
	signer.Form, signer.Drawing, signer.DrawingSHA256 = "drawn", "M1 2L3 4", "d2a"
	same(t, &signer, row[contractSignerRow](t, story("contract", "terms", evidence...), "contract_signers", id("terms"), own))
}

func TestContractDraftThatChanged(t *testing.T) {
	facts := story("contract", "terms", signing()[0],
		contract.DraftChanged{
			Title: domain.P("Other terms"), Body: domain.P("We agree more."), Removed: []domain.ID{id("ana")},
			Signers: []contract.Signer{{Contact: id("ben"), Order: 1}, {Contact: id("cleo"), Order: 2}},
		})
	same(t, &contractRow{
		owned: ownedByTest("terms"), Recipients: []domain.ID{id("ben"), id("cleo")}, Title: "Other terms",
		Status: contract.StatusDraft, SignerCount: 2, DraftedAt: at(0),
	}, row[contractRow](t, facts, "contracts", id("terms")))
	if body := row[contractBodyRow](t, facts, "contract_bodies", id("terms")); body.Body != "We agree more." {
		t.Errorf("the text: %+v", body)
	}
	if gone := row[contractSignerRow](t, facts, "contract_signers", id("terms"), id("ana")); gone != nil {
		t.Errorf("whoever was removed still signs: %+v", gone)
	}
	for place, name := range []string{"ben", "cleo"} {
		if signer := row[contractSignerRow](t, facts, "contract_signers", id("terms"), id(name)); signer == nil || signer.Place != place+1 {
			t.Errorf("%s signs as %+v", name, signer)
		}
	}
}

func TestContractThatCameToNothing(t *testing.T) {
	declined := story("contract", "terms", signing(contract.Declined{Contact: id("ben"), Reason: domain.P("too dear")})...)
	got := row[contractRow](t, declined, "contracts", id("terms"))
	if got.Status != contract.StatusDeclined || got.EndedAt != at(4) || got.NextSigner != domain.NoID {
		t.Errorf("declined: %+v", got)
	}
	same(t, &contractNotesRow{ID: id("terms"), Firm: id("firm"), Account: id("account"), DeclinedBy: id("ben"), DeclineReason: "too dear"},
		row[contractNotesRow](t, declined, "contract_notes", id("terms")))
	if ben := row[contractSignerRow](t, declined, "contract_signers", id("terms"), id("ben")); ben.DeclinedAt != at(4) {
		t.Errorf("the signer who declined: %+v", ben)
	}

	voided := story("contract", "terms", signing(contract.Voided{Reason: domain.P("wrong price")})...)
	got = row[contractRow](t, voided, "contracts", id("terms"))
	if got.Status != contract.StatusVoid || !got.Released || got.EndedAt != at(4) {
		t.Errorf("voided: %+v", got)
	}
	same(t, &contractNotesRow{ID: id("terms"), Firm: id("firm"), Account: id("account"), VoidReason: "wrong price"},
		row[contractNotesRow](t, voided, "contract_notes", id("terms")))
}

func TestNumbers(t *testing.T) {
	facts := story("numbering", "numbers",
		numbering.Reserved{Kind: numbering.Invoice, Document: id("first"), Number: 1},
		numbering.Reserved{Kind: numbering.Invoice, Document: id("second"), Number: 2})
	same(t, &numberRow{Firm: id("firm"), Kind: "invoice", Number: 2, Document: id("second"), ReservedAt: at(1)},
		row[numberRow](t, facts, "numbers", id("firm"), "invoice", int64(2)))
}

func TestAccess(t *testing.T) {
	ana := access.About{Entry: id("entry"), Person: id("ana"), PersonKind: access.Contact}
	facts := story("access", "march",
		access.SignInLinkSent{About: ana, Purpose: access.Invitation},
		access.SignInLinkSent{About: ana, Purpose: access.Link},
		access.SignInFailed{About: ana, Reason: access.WrongCode},
		access.SignedIn{About: ana, Session: id("session"), Method: access.ByCode},
		access.SecondFactorAdded{About: ana, Kind: access.TOTP},
		access.PasskeyAdded{About: ana, Passkey: id("phone")},
		access.SecondFactorRemoved{About: ana, Kind: access.TOTP},
		access.Visited{About: ana, Session: id("session")},
		access.SignedOut{About: ana, Session: id("session"), How: access.BySelf},
	)
	month := row[accessRow](t, facts, "access", id("march"))
	same(t, &accessRow{
		ID: id("march"), Firm: id("firm"), Account: id("account"), Person: id("ana"), PersonKind: access.Contact, Recipients: []domain.ID{id("ana")},
	}, month)
	if visible, recipients := month.Audience(); !visible || len(recipients) != 1 || recipients[0] != id("ana") {
		t.Errorf("a contact's month is visible %v to %v", visible, recipients)
	}
	want := &lastSeenRow{
		Person: id("ana"), Firm: id("firm"), Account: id("account"), PersonKind: access.Contact, Recipients: []domain.ID{id("ana")},
		InvitedAt: at(0), RefusedAt: at(2), SignedInAt: at(3), Method: access.ByCode, SeenAt: at(7), Passkeys: 1, SecondFactor: true,
	}
	same(t, want, row[lastSeenRow](t, facts, "last_seen", id("ana")))
	passkeyGone := append(facts, story("access", "march", access.PasskeyRemoved{About: ana, Passkey: id("phone")})...)
	want.Passkeys, want.SecondFactor = 0, false
	same(t, want, row[lastSeenRow](t, passkeyGone, "last_seen", id("ana")))

	ada := access.About{Entry: id("entry"), Person: id("ada"), PersonKind: access.Staff}
	if visible, recipients := row[accessRow](t, story("access", "april", access.PasswordSet{About: ada}), "access", id("april")).Audience(); visible || recipients != nil {
		t.Errorf("a month of staff is visible %v to %v", visible, recipients)
	}
}
