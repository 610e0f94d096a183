package contact

import (
	"slices"
	"strconv"

	"github.com/atrium-portal/atrium/domain"
)

// Role is a contact's place at the client. It sets the permissions that are offered; the permissions decide.
type Role string

// The roles.
const (
	Owner    Role = "owner"    // everything
	Accounts Role = "accounts" // the client's bookkeeping
	Member   Role = "member"   // works with the firm
	Viewer   Role = "viewer"   // looks, changes nothing
)

// Permission is one thing a contact may do in the portal.
type Permission string

// The permissions.
const (
	ViewProjects     Permission = "view_projects"
	ViewInvoices     Permission = "view_invoices"
	PayInvoices      Permission = "pay_invoices"
	ViewContracts    Permission = "view_contracts"
	SignContracts    Permission = "sign_contracts"
	ApproveEstimates Permission = "approve_estimates"
	RaiseTickets     Permission = "raise_tickets"
	UploadDocuments  Permission = "upload_documents"
	Message          Permission = "message"
	ManageContacts   Permission = "manage_contacts"
)

// Permissions lists every permission, in the order in which people choose them.
func Permissions() []Permission {
	return []Permission{
		ViewProjects, ViewInvoices, PayInvoices, ViewContracts, SignContracts, ApproveEstimates, RaiseTickets, UploadDocuments,
		Message, ManageContacts,
	}
}

// Defaults are the permissions a role has when none are named, sorted; nil for a role we do not know.
func (r Role) Defaults() []Permission {
	switch r {
	case Owner:
		return tidy(Permissions())
	case Accounts:
		return tidy([]Permission{ViewInvoices, PayInvoices, ViewContracts, UploadDocuments, Message})
	case Member:
		return tidy([]Permission{ViewProjects, RaiseTickets, UploadDocuments, Message})
	case Viewer:
		return tidy([]Permission{ViewProjects, ViewInvoices, ViewContracts})
	default:
		return nil
	}
}

// Module is the part of the portal that a permission is for; empty for what no switch turns off.
func (p Permission) Module() domain.Module {
	switch p {
	case ViewProjects:
		return domain.Projects
	case ViewInvoices, PayInvoices:
		return domain.Invoices
	case ViewContracts, SignContracts:
		return domain.Contracts
	case ApproveEstimates, RaiseTickets, UploadDocuments, Message, ManageContacts:
	}
	return ""
}

// tidy is a sorted copy with each permission once; never nil, so that it is stored as a list.
func tidy(permissions []Permission) []Permission {
	sorted := slices.Concat([]Permission{}, permissions)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

func checkRole(v *domain.Checks, r Role) {
	v.That(r.Defaults() != nil, "role", "role-unknown", "Give owner, accounts, member or viewer.")
}

func checkPermissions(v *domain.Checks, permissions []Permission) {
	for i, p := range permissions {
		v.That(slices.Contains(Permissions(), p), "permissions["+strconv.Itoa(i)+"]", "permission-unknown", "Give a permission such as view_projects.")
	}
}
