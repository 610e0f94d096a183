// Package bundle writes and verifies evidence bundles: a part of a firm's history in one zip file that anybody can
// check offline, years later, without trusting the firm or this program's makers.
//
// # What lives here
//
//   - Write: Contents (filled by whoever knows the stores) to bytes. The same contents give the same bytes.
//   - Verify: a bundle and public keys to a Verdict, in data and in words; Verdict.Extends compares with what somebody
//     held before.
//   - Report: the plain words in a bundle, as data for a page and a paper.
//   - archive.go, manifest.go: the one form of a bundle.
//
// # What it may import
//
// The domain kernel, package evidence and golang.org/x/mod, and no network, database or files: readers and writers
// are arguments. Command atrium-verify is this package behind a command line.
//
// # Events with a meaning to the verifier
//
// It knows these types by name, and of their data only what is said here:
//
//	BundleIssued         {"about": stream, "heads": [{"stream", "revision", "leaf": base64}]}  what an issued bundle held
//	SubjectKeyDestroyed  {"subject": "contact:<id>"}       a person was erased: their sealed values can not be opened
//	RemovalAuthorised    {"stream", "from", "to"}           revisions whose contents may be missing or overwritten
//
// # Decisions that closed a door
//
//   - Entries are stored, not compressed, so a verifier built years later can make the archive again and compare byte
//     by byte: no bit is without meaning, and what one program reads in it is what every other one reads. The cost is
//     its size, about 3 kB per event.
//   - The manifest is signed by the log's own key: the log covers events, and report and documents ride along. A bundle
//     still proves its events when the manifest is wrong; the verdict says which file is not the firm's.
//   - No key is inside. A verifier that took its keys from the bundle would find every forgery in order.
//   - Memory grows with the number of entries (about 1 kB per event), never with the size of documents.
package bundle
