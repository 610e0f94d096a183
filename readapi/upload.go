package readapi

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/upload"
)

// Uploaded is a file that waits for a command that names it.
type Uploaded struct {
	File   domain.ID `json:"file" doc:"give it to a command within a day"`
	SHA256 string    `json:"sha256" doc:"of what is kept, which may be made anew from what was sent"`
	Size   int64     `json:"size" doc:"bytes"`
	Type   string    `json:"type" doc:"media type that the content was found to be"`
	Status string    `json:"status" enum:"ready"`
}

// upload answers POST /uploads. Nothing of the body is read before it is clear that its sender may send it.
func (s *server) upload(w http.ResponseWriter, r *http.Request) {
	p := parseParams(r, "purpose")
	text, _ := p.text("purpose")
	scope, purpose := auth.From(r.Context()), domain.FilePurpose(text)
	err := s.Uploads.Allow(scope, purpose)
	if err == nil {
		err = p.err()
	}
	var sent *upload.Sent
	if err == nil {
		sent, err = s.Uploads.Receive(w, r, purpose)
	}
	var f domain.File
	if err == nil {
		f, err = s.Uploads.Take(r.Context(), scope, purpose, sent)
	}
	if err != nil {
		Problem(w, r, err)
		return
	}
	reply(w, r, Uploaded{File: f.ID, SHA256: f.SHA256, Size: f.Size, Type: f.Type, Status: "ready"}, false)
}

// upload describes POST /uploads.
func (d *describer) upload() *huma.Operation {
	purposes := []any{}
	for _, one := range upload.Purposes() {
		purposes = append(purposes, string(one))
	}
	return &huma.Operation{
		OperationID: "upload", Tags: []string{"files"}, Summary: "Send a file that a command will name",
		Description: "The field `file` of a form holds it. A logo is a PNG or JPEG picture of at most 1 MB, from an administrator. A file that no command names is removed after a day.",
		Parameters: []*huma.Param{
			{Name: "purpose", In: "query", Required: true, Description: "What the file is for.", Schema: &huma.Schema{Type: "string", Enum: purposes}},
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{
			Type: "object", Required: []string{"file"}, Properties: map[string]*huma.Schema{"file": {Type: "string", Format: "binary"}},
		}}}},
		Responses: map[string]*huma.Response{"200": {
			Description: "The file waits.",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: d.schema(reflect.TypeFor[Uploaded]())}},
		}},
	}
}
