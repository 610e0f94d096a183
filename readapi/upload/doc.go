// Package upload takes the files that people send, and gives those that everybody may see.
//
// # What lives here
//
//   - Desk: reads a form with a file in it, checks what the file is, and has it kept until a command uses it.
//   - Files: the port to where files are.
//   - picture.go: what a picture must be, and how it is made anew.
//   - Desk.Logos: the one route that gives firms' logos.
//
// # What it may import
//
// domain, readapi/auth, a detector of file types and an image scaler. Package readapi puts the desk behind
// POST /api/v1/uploads, the portal behind its forms.
//
// # How to add a purpose
//
// A domain.FilePurpose, a line in rules with its limit, who may send it and its check. What people send is never kept
// as it came unless its check has read it to the end.
//
// # Decisions that closed a door
//
// A picture is decoded and encoded anew: what else is in the file (a place, a camera's number, a page, a program) goes no
// further. The cost is that nobody gets back the very bytes they sent, and that SVG is refused: it can hold programs.
//
// Checks hold a file in memory, so a purpose's limit is small. Larger files need a check that reads a stream.
package upload
