package access

// Sentence for history.
func (e SignInLinkSent) Sentence() string {
	switch e.Purpose {
	case Invitation:
		return "sent an invitation to the portal"
	case Reset:
		return "sent a link to set a new password"
	case Direct:
		return "made a sign-in link"
	case Link:
	}
	return "sent a sign-in link"
}

// Sentence for history.
func (e SignedIn) Sentence() string {
	s := "signed in"
	switch e.Method {
	case ByLink:
		s += " with a link"
	case ByCode:
		s += " with a code"
	case ByPassword:
		s += " with a password"
	case ByOneTimePassword:
		s += " with a one-time password"
	case ByPasskey:
		return s + " with a passkey"
	}
	if e.Second == "" || e.Second == NoSecond {
		return s
	}
	return s + " and " + e.Second.spoken()
}

// Sentence for history.
func (e SignInFailed) Sentence() string {
	s := "refused a sign-in: "
	switch e.Reason {
	case WrongCode:
		return s + "the code was wrong"
	case WrongPassword:
		return s + "the password was wrong"
	case WrongSecond:
		return s + "the second factor was wrong"
	case UsedLink:
		return s + "the link had been used"
	case ExpiredLink:
		return s + "the link was too old"
	case NoAccess:
		return s + "this person has no access"
	}
	return "refused a sign-in"
}

// Sentence for history.
func (Visited) Sentence() string { return "came back to the portal" }

// Sentence for history.
func (e SignedOut) Sentence() string {
	switch e.How {
	case ByDevice:
		return "signed out another device"
	case ByStaff:
		return "signed this person out"
	case ByExpiry:
		return "ended a session whose time was over"
	case ByRenewal:
		return "ended an earlier session"
	case BySelf:
	}
	return "signed out"
}

// Sentence for history.
func (e ProvedAgain) Sentence() string {
	switch e.How {
	case ProofPassword:
		return "confirmed who they are with the password"
	case ProofTOTP:
		return "confirmed who they are with an authenticator app"
	case ProofPasskey:
		return "confirmed who they are with a passkey"
	case ProofCode:
		return "confirmed who they are with a code sent by e-mail"
	}
	return "confirmed who they are"
}

// Sentence for history.
func (PasswordSet) Sentence() string { return "set a password" }

// Sentence for history.
func (PasswordReset) Sentence() string { return "reset the password" }

// Sentence for history.
func (OneTimePasswordSet) Sentence() string { return "made a one-time password" }

// Sentence for history.
func (e SecondFactorAdded) Sentence() string { return "protected the sign-in with " + e.Kind.spoken() }

// Sentence for history.
func (e SecondFactorRemoved) Sentence() string {
	return "ended the protection of the sign-in with " + e.Kind.spoken()
}

// Sentence for history.
func (e RecoveryCodesMade) Sentence() string {
	return "made " + counted(e.Count, "recovery code", "recovery codes")
}

// Sentence for history.
func (e RecoveryCodeUsed) Sentence() string {
	return "used a recovery code, " + counted(e.Left, "is left", "are left")
}

// Sentence for history.
func (PasskeyAdded) Sentence() string { return "added a passkey" }

// Sentence for history.
func (PasskeyRemoved) Sentence() string { return "removed a passkey" }

// Sentence for history.
func (e PreviewStarted) Sentence() string {
	return "looked at the portal as this contact sees it" + e.Reason.After(": ")
}

// Sentence for history.
func (PreviewEnded) Sentence() string { return "ended the look at the portal" }

// Sentence for history.
func (AccountChosen) Sentence() string { return "went on to another account they work for" }

func (s Second) spoken() string {
	switch s {
	case TOTP:
		return "an authenticator app"
	case Passkey:
		return "a passkey"
	case RecoveryCode:
		return "a recovery code"
	case NoSecond:
	}
	return "a second factor"
}
