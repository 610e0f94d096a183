package access

import "github.com/atrium-portal/atrium/domain"

// SignInLinkSent says that a link was mailed with which the person gets in.
type SignInLinkSent struct {
	About
	Purpose Purpose `json:"purpose"`
}

// Purpose is what a link is for.
type Purpose string

// The purposes.
const (
	Link       Purpose = "link"       // asked for on the sign-in page
	Invitation Purpose = "invitation" // sent by the firm, to begin
	Reset      Purpose = "reset"      // to set a new password
	Direct     Purpose = "direct"     // printed by an operator of the program
)

// SignedIn begins a session.
type SignedIn struct {
	About
	Session domain.ID `json:"session"`
	Method  Method    `json:"method"`
	Second  Second    `json:"second"`
}

// Method is how somebody showed who they are.
type Method string

// The methods.
const (
	ByLink            Method = "link"
	ByCode            Method = "code" // the short code of the same mail, in another browser
	ByPassword        Method = "password"
	ByOneTimePassword Method = "one_time_password"
	ByPasskey         Method = "passkey"
)

// Second is the second factor of a sign-in.
type Second string

// The second factors.
const (
	NoSecond     Second = "none"
	TOTP         Second = "totp" // codes of an authenticator app
	Passkey      Second = "passkey"
	RecoveryCode Second = "recovery_code"
)

// SignInFailed says that somebody tried to get in as the person and was refused.
type SignInFailed struct {
	About
	Reason Reason          `json:"reason"`
	From   domain.Personal `json:"from,omitzero"` // network address of whoever tried, who need not be the person
}

// Reason is why a sign-in was refused.
type Reason string

// The reasons.
const (
	WrongCode     Reason = "wrong_code"
	WrongPassword Reason = "wrong_password"
	WrongSecond   Reason = "wrong_second_factor"
	UsedLink      Reason = "used_link"
	ExpiredLink   Reason = "expired_link"
	NoAccess      Reason = "no_access" // frozen, revoked, deactivated
)

// Visited says that the person came back in a session after an hour or more.
type Visited struct {
	About
	Session domain.ID `json:"session"`
}

// SignedOut ends a session.
type SignedOut struct {
	About
	Session domain.ID `json:"session"`
	How     Ending    `json:"how"`
}

// Ending is how a session ended.
type Ending string

// The endings.
const (
	BySelf    Ending = "self"    // signed out in it
	ByDevice  Ending = "device"  // ended by the person from another device
	ByStaff   Ending = "staff"   // ended by the firm
	ByExpiry  Ending = "expired" // not used for too long, or too old
	ByRenewal Ending = "renewal" // a password was set anew, or access was taken away
)

// ProvedAgain says that the person showed once more who they are, before something that needs it.
type ProvedAgain struct {
	About
	Session domain.ID `json:"session"`
	How     Proof     `json:"how"`
}

// Proof is how somebody showed it once more.
type Proof string

// The proofs.
const (
	ProofPassword Proof = "password"
	ProofTOTP     Proof = "totp"
	ProofPasskey  Proof = "passkey"
	ProofCode     Proof = "code" // sent by e-mail
)

// PasswordSet says that the person chose a password.
type PasswordSet struct{ About }

// PasswordReset makes the password void; a link to set a new one follows.
type PasswordReset struct{ About }

// OneTimePasswordSet says that a password was made that works once and must be changed then.
type OneTimePasswordSet struct{ About }

// SecondFactorAdded protects the sign-in with a second factor.
type SecondFactorAdded struct {
	About
	Kind Second `json:"kind"`
}

// SecondFactorRemoved ends that protection.
type SecondFactorRemoved struct {
	About
	Kind Second `json:"kind"`
}

// RecoveryCodesMade replaces all recovery codes.
type RecoveryCodesMade struct {
	About
	Count int `json:"count"`
}

// RecoveryCodeUsed uses one up.
type RecoveryCodeUsed struct {
	About
	Left int `json:"left"`
}

// PasskeyAdded adds a passkey. The name that the person gave it stays with the passkey, where it can be forgotten.
type PasskeyAdded struct {
	About
	Passkey domain.ID `json:"passkey"`
}

// PasskeyRemoved removes a passkey.
type PasskeyRemoved struct {
	About
	Passkey domain.ID `json:"passkey"`
}

// PreviewStarted says that a member of staff looks at the portal as a contact sees it. Nothing can be done in it.
type PreviewStarted struct {
	About
	Contact domain.ID       `json:"contact"` // the person again: the reason is sealed under their key
	Reason  domain.Personal `json:"reason" subject:"contact"`
}

// PreviewEnded ends that.
type PreviewEnded struct{ About }

// AccountChosen says that a contact who works for several accounts went on to another one in a session.
type AccountChosen struct {
	About
	Session domain.ID `json:"session"`
	From    domain.ID `json:"from"`
	To      domain.ID `json:"to"`
}

// EventType is the wire name.
func (SignInLinkSent) EventType() string { return "SignInLinkSent" }

// EventType is the wire name.
func (SignedIn) EventType() string { return "SignedIn" }

// EventType is the wire name.
func (SignInFailed) EventType() string { return "SignInFailed" }

// EventType is the wire name.
func (Visited) EventType() string { return "PortalVisited" }

// EventType is the wire name.
func (SignedOut) EventType() string { return "SignedOut" }

// EventType is the wire name.
func (ProvedAgain) EventType() string { return "IdentityProvedAgain" }

// EventType is the wire name.
func (PasswordSet) EventType() string { return "PasswordSet" }

// EventType is the wire name.
func (PasswordReset) EventType() string { return "PasswordReset" }

// EventType is the wire name.
func (OneTimePasswordSet) EventType() string { return "OneTimePasswordSet" }

// EventType is the wire name.
func (SecondFactorAdded) EventType() string { return "SecondFactorAdded" }

// EventType is the wire name.
func (SecondFactorRemoved) EventType() string { return "SecondFactorRemoved" }

// EventType is the wire name.
func (RecoveryCodesMade) EventType() string { return "RecoveryCodesMade" }

// EventType is the wire name.
func (RecoveryCodeUsed) EventType() string { return "RecoveryCodeUsed" }

// EventType is the wire name.
func (PasskeyAdded) EventType() string { return "PasskeyAdded" }

// EventType is the wire name.
func (PasskeyRemoved) EventType() string { return "PasskeyRemoved" }

// EventType is the wire name.
func (PreviewStarted) EventType() string { return "PreviewStarted" }

// EventType is the wire name.
func (PreviewEnded) EventType() string { return "PreviewEnded" }

// EventType is the wire name.
func (AccountChosen) EventType() string { return "AccountChosen" }
