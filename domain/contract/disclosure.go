package contract

import (
	"crypto/sha256"
	"encoding/hex"
)

// Disclosure is what signers are told about signing electronically before they consent to it.
type Disclosure struct {
	Version string
	Text    string // paragraphs with an empty line between them
}

// DisclosureNow is the text that is shown today. Whoever changes a word gives it a new version: what a signer was shown
// is known by its SHA-256, and whoever has consented to an older one is shown the new one before they sign.
func DisclosureNow() Disclosure {
	return Disclosure{Version: "2026-1", Text: `You can sign this contract electronically, here in the portal. You do not have to: ask the firm for a copy on paper, and sign that. It costs you nothing.

Your consent is for this contract alone. You can withdraw it on this page until you have signed, without any consequence but that you cannot sign here while it is withdrawn.

You need a web browser of today, a program that shows PDF files, and an e-mail address that you read. When everybody has signed, you get a mail with the way to the signed contract, which you can keep or print.

Together with your signature it is stored when and from which network address you opened, read and signed the contract, how you signed in, and a fingerprint of the exact text.`}
}

// SHA256 is the digest of the text, in lower-case hex.
func (d Disclosure) SHA256() string { return digest(d.Text) }

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
