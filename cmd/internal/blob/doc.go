// Package blob keeps files: in a folder, or in a bucket of S3.
//
// # What lives here
//
//   - Store: behind readapi.Files, which takes uploads and gives files, and commands.Files, which keeps an upload that a
//     command uses.
//
// It may import domain and gocloud.dev/blob. Another kind of place is one more import of a driver here.
//
// # Decisions
//
// An upload lies under new/<firm>/<id> until a command uses it; then it is copied to kept/<purpose>/<id>. So an upload
// that nobody used is known by where it lies, and can be removed by its age without asking anything else. The price is
// one copy of each file that is used.
//
// Keys are random ids. What a file is (its SHA-256, size and type) lies beside it and in the event that names it; nobody
// gets at a file by knowing its content.
package blob
