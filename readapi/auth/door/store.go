package door

import (
	"context"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
)

// Store is what the door keeps.
type Store interface {
	Attempts
	Links
	Sessions
	Passwords
	Factors
	Passkeys
}

// Attempts counts what is tried.
type Attempts interface {
	// Allow notes an attempt, unless there were limit of that kind and key after since: then ok is false and nothing is
	// noted.
	Allow(ctx context.Context, kind string, key []byte, limit int, since, now time.Time) (ok bool, err error)
}

// Request is a wish for a sign-in link that nobody has looked at.
type Request struct {
	ID      domain.ID
	Firm    domain.ID // none: every firm where the address is known
	Email   string
	Reset   bool
	Browser []byte // hash of the asking browser's secret
	Next    string // where to go after signing in
	At      time.Time
}

// Link is a sign-in link that was sent.
type Link struct {
	ID          domain.ID
	Hash        []byte // of its token
	Who         Who
	Purpose     access.Purpose
	NewPassword bool   // whoever uses it sets a password next
	Browser     []byte // hash of the secret of the browser that asked for it; nil: any browser may use it
	Code        []byte // see Keeper.codeHash
	Tries       int    // of the code
	Next        string
	Created     time.Time
	Expires     time.Time
	Used        time.Time // zero: not yet
}

// Mail is a mail to one person.
type Mail struct {
	ID       domain.ID
	Firm     domain.ID
	To       string
	Subject  string
	Text     string
	HTML     string
	NotAfter time.Time // after which it is of no use; zero: never
}

// Links keeps requests and links.
type Links interface {
	// Ask keeps a request.
	Ask(ctx context.Context, r Request) error
	// Answer takes the oldest request that nobody else is answering, calls answer, and forgets the request together
	// with keeping the links and mails that answer gives. none is true when there was no request.
	Answer(ctx context.Context, answer func(context.Context, Request) ([]Issue, error)) (none bool, err error)
	// Issue keeps a link with its mail; both or neither.
	Issue(ctx context.Context, i Issue) error
	// Link finds a link by the hash of its token.
	Link(ctx context.Context, hash []byte) (l Link, ok bool, err error)
	// LinkOfBrowser finds the newest link that a browser asked for, among those that can be used at a time.
	LinkOfBrowser(ctx context.Context, browser []byte, now time.Time) (l Link, ok bool, err error)
	// LinkOf finds the newest link of a person that can be used at a time, in any browser.
	LinkOf(ctx context.Context, who Who, now time.Time) (l Link, ok bool, err error)
	// Try counts a try of a link's code; ok is false when limit tries were made, or the link cannot be used (any more).
	Try(ctx context.Context, id domain.ID, limit int, now time.Time) (ok bool, err error)
	// Use uses a link up, and with it the other links of the same person and purpose; ok is false when it was used
	// already or is too old.
	Use(ctx context.Context, id domain.ID, now time.Time) (ok bool, err error)
	// Void uses up all links of a person.
	Void(ctx context.Context, who Who, now time.Time) error
}

// Issue is a link with the mail that carries it. A link that is handed over otherwise has no mail.
type Issue struct {
	Link Link
	Mail *Mail
}

// Stage is what a sign-in lacks until it opens the door.
type Stage string

// The stages.
const (
	Open         Stage = "open"          // nothing
	SecondFactor Stage = "second_factor" // show the second factor
	NewPassword  Stage = "new_password"  // set a password
	Enrol        Stage = "enrol"         // set up a second factor
)

// Session is somebody who signed in, or is about to.
type Session struct {
	ID          domain.ID
	Who         Who
	Method      access.Method
	Second      access.Second
	Stage       Stage
	NewPassword bool // a password is to be set before it opens
	Created     time.Time
	Seen        time.Time     // the last use, to the minute
	Idle        time.Duration // how long it lasts without use
	Expires     time.Time     // Seen and Idle
	Ends        time.Time     // whatever happens
	Proved      time.Time     // when the person last showed who they are
	IP          string        // of the last use
	Agent       string
	Account     domain.ID // that a contact has chosen to look at; none: their first
	Preview     domain.ID // contact whose pages a member of staff looks at; none for most
	PreviewEnds time.Time
}

// Sessions keeps sessions.
type Sessions interface {
	// Begin keeps a new session; hash is of its secret.
	Begin(ctx context.Context, s Session, hash []byte) error
	// Session finds a session that has not ended by the hash of its secret, as it was before this use, and notes the use
	// (noted) when the last one was a minute ago or more.
	Session(ctx context.Context, hash []byte, ip, agent string, now time.Time) (s Session, noted, ok bool, err error)
	// Peek is Session without noting a use.
	Peek(ctx context.Context, hash []byte, now time.Time) (s Session, ok bool, err error)
	// Change replaces a session and its secret; ok is false when it has ended.
	Change(ctx context.Context, s Session, hash []byte) (ok bool, err error)
	// Sessions lists the open sessions of a person, the last used first.
	Sessions(ctx context.Context, who Who, now time.Time) ([]Session, error)
	// End ends a session of a person; ok is false when they have no such session.
	End(ctx context.Context, who Who, id domain.ID) (s Session, ok bool, err error)
	// EndOthers ends all sessions of a person but one (none: all), and gives those that were open.
	EndOthers(ctx context.Context, who Who, but domain.ID) ([]Session, error)
	// EndExpired ends some sessions whose time is over, and gives those that were open. It gives none when none is left.
	EndExpired(ctx context.Context, now time.Time) (ended []Session, more bool, err error)
	// Choose sets the account that the session looks at.
	Choose(ctx context.Context, id, account domain.ID) error
	// Preview sets whose pages the session looks at, until when; NoID ends that.
	Preview(ctx context.Context, id, contact domain.ID, until time.Time) error
	// Forget removes what is of no use any more: links that ended before a time, attempts and challenges.
	Forget(ctx context.Context, before time.Time) error
}

// Password is a password that was set.
type Password struct {
	PHC        string // argon2id
	MustChange bool   // it works once
	Expires    time.Time
	Set        time.Time
}

// Passwords keeps passwords.
type Passwords interface {
	// Password gives a person's password; ok is false when they have none.
	Password(ctx context.Context, who Who) (p Password, ok bool, err error)
	// SetPassword replaces it.
	SetPassword(ctx context.Context, who Who, p Password) error
	// DropPassword removes it, when it is still the one with this PHC string (empty: whichever it is); ok is false when
	// it was not there.
	DropPassword(ctx context.Context, who Who, phc string) (ok bool, err error)
}

// TOTP is an authenticator app that was set up, or is being set up.
type TOTP struct {
	Secret    string // base32
	Step      int64  // of the last code that was used
	Confirmed bool
}

// Factors keeps authenticator apps and recovery codes.
type Factors interface {
	// TOTP gives a person's authenticator app; ok is false when there is none, confirmed or not.
	TOTP(ctx context.Context, who Who) (t TOTP, ok bool, err error)
	// SetTOTP replaces it.
	SetTOTP(ctx context.Context, who Who, t TOTP, now time.Time) error
	// UseTOTP notes that the code of a step was used and confirms the app; ok is false when that step or a later one
	// was used before.
	UseTOTP(ctx context.Context, who Who, step int64, now time.Time) (ok bool, err error)
	// DropTOTP removes it.
	DropTOTP(ctx context.Context, who Who) error
	// SetRecoveryCodes replaces all recovery codes, by their hashes.
	SetRecoveryCodes(ctx context.Context, who Who, hashes [][]byte) error
	// UseRecoveryCode uses one up and tells how many are left; ok is false when there is no such code.
	UseRecoveryCode(ctx context.Context, who Who, hash []byte) (left int, ok bool, err error)
	// RecoveryCodes tells how many are left.
	RecoveryCodes(ctx context.Context, who Who) (int, error)
}

// Passkey is a passkey of a person.
type Passkey struct {
	ID         domain.ID
	Who        Who
	Credential []byte // its id, as the authenticator names it
	Name       string // as the person calls it
	Record     []byte // JSON: all that is known of it
	Created    time.Time
	Used       time.Time // zero: never
}

// Passkeys keeps passkeys and what browsers were asked to sign.
type Passkeys interface {
	// Passkeys lists a person's, oldest first.
	Passkeys(ctx context.Context, who Who) ([]Passkey, error)
	// AddPasskey keeps one; ok is false when it is known already.
	AddPasskey(ctx context.Context, p Passkey) (ok bool, err error)
	// UsePasskey keeps the record as it is after a use.
	UsePasskey(ctx context.Context, id domain.ID, record []byte, now time.Time) error
	// DropPasskey removes a person's passkey; ok is false when they have no such one.
	DropPasskey(ctx context.Context, who Who, id domain.ID) (ok bool, err error)
	// SetChallenge keeps what a browser is asked to sign, instead of what it was asked before.
	SetChallenge(ctx context.Context, browser, data []byte, expires time.Time) error
	// TakeChallenge gives it once; ok is false when there is none, or it is too old.
	TakeChallenge(ctx context.Context, browser []byte, now time.Time) (data []byte, ok bool, err error)
}
