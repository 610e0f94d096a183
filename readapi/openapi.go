package readapi

import (
	"bytes"
	"encoding/json"
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-portal/atrium/domain"
)

// The schemas of values that write themselves as text.
type (
	idSchema       struct{}
	dateSchema     struct{}
	decimalSchema  struct{}
	positionSchema struct{}
	textSchema     struct{}
)

// Schema of an id.
func (idSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Format: "uuid"}
}

// Schema of a date.
func (dateSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Format: "date"}
}

// Schema of a decimal number.
func (decimalSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Pattern: `^-?[0-9]{1,12}(\.[0-9]{1,6})?$`, Description: "An exact decimal number; a JSON number is taken too."}
}

// Schema of a position.
func (positionSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Description: "A place in the log, opaque; give it back in after=."}
}

// Schema of personal text, which is plain text to those who may read it.
func (textSchema) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: "string"} }

const (
	module  = "github.com/atrium-portal/atrium/"
	schemas = "#/components/schemas/"
)

// describer builds the API description.
type describer struct {
	registry huma.Registry
	names    map[reflect.Type]string // of command bodies
	api      *huma.OpenAPI
}

// describe gives the OpenAPI 3.1 document of the routes and of the commands on the menu.
func (s *server) describe() ([]byte, error) {
	d := &describer{names: map[reflect.Type]string{}}
	for _, c := range s.Menu {
		d.names[c.Type] = c.Name
	}
	d.registry = huma.NewMapRegistry(schemas, d.name)
	for from, to := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[domain.ID]():       reflect.TypeFor[idSchema](),
		reflect.TypeFor[domain.Date]():     reflect.TypeFor[dateSchema](),
		reflect.TypeFor[domain.Decimal]():  reflect.TypeFor[decimalSchema](),
		reflect.TypeFor[domain.Position](): reflect.TypeFor[positionSchema](),
		reflect.TypeFor[domain.Personal](): reflect.TypeFor[textSchema](),
	} {
		d.registry.RegisterTypeAlias(from, to)
	}
	d.api = &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Atrium", Version: "1",
			Description: "What a firm's staff, its clients and their programs may ask and do. Amounts are in minor units of their currency; times are RFC 3339 in UTC.",
		},
		Servers:  []*huma.Server{{URL: "/api/v1"}},
		Security: []map[string][]string{{"token": {}}},
		Components: &huma.Components{
			Schemas: d.registry,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"token": {Type: "http", Scheme: "bearer", Description: "An API token, as `atrium token create` prints it."},
			},
			Responses: map[string]*huma.Response{
				"Problem": {
					Description: "A problem document (RFC 9457). `code` is unique per rule.",
					Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: d.schema(reflect.TypeFor[problem]())}},
				},
			},
		},
	}
	for _, route := range s.routes() {
		d.add(route.path, "get", d.read(route))
	}
	if s.Uploads != nil {
		d.add("/uploads", "post", d.upload())
	}
	for _, c := range s.Menu {
		d.add("/commands/"+c.Name, "post", d.command(c))
	}
	for name, schema := range d.registry.Map() {
		tidySchema(schema)
		if t := d.registry.TypeFromRef(schemas + name); t.PkgPath() == module+"readapi" {
			schema.AdditionalProperties = nil // answers may grow; bodies are strict
		}
	}
	return indented(d.api)
}

// name names a schema: commands by their wire name, our own types as they are, those of aggregates with the aggregate.
func (d *describer) name(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if name, ok := d.names[t]; ok {
		return name
	}
	if aggregate, ok := strings.CutPrefix(t.PkgPath(), module+"domain/"); ok {
		return upper(path.Base(aggregate)) + t.Name() + "Input"
	}
	return upper(huma.DefaultSchemaNamer(t, hint))
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func (d *describer) schema(t reflect.Type) *huma.Schema { return d.registry.Schema(t, true, t.Name()) }

func (d *describer) add(path, method string, op *huma.Operation) {
	op.Responses["default"] = &huma.Response{Ref: "#/components/responses/Problem"}
	item := d.api.Paths[path]
	if item == nil {
		item = &huma.PathItem{}
		if d.api.Paths == nil {
			d.api.Paths = map[string]*huma.PathItem{}
		}
		d.api.Paths[path] = item
	}
	if method == "post" {
		item.Post = op
	} else {
		item.Get = op
	}
}

func (d *describer) read(r route) *huma.Operation {
	op := &huma.Operation{OperationID: r.id, Tags: []string{r.group}, Summary: r.summary, Description: r.doc}
	if strings.Contains(r.path, "{id}") {
		op.Parameters = append(op.Parameters, &huma.Param{Name: "id", In: "path", Required: true, Schema: idSchema{}.Schema(nil)})
	}
	for _, name := range r.parameters {
		op.Parameters = append(op.Parameters, parameter(name, r.of))
	}
	var schema *huma.Schema
	switch {
	case r.stream:
		op.Responses = map[string]*huma.Response{"200": {Description: "Events, until the connection ends.", Content: map[string]*huma.MediaType{"text/event-stream": {}}}}
		return op
	case r.pdf, r.zip:
		kind := "application/pdf"
		if r.zip {
			kind = "application/zip"
		}
		op.Responses = map[string]*huma.Response{"200": {Description: "The file.", Content: map[string]*huma.MediaType{
			kind: {Schema: &huma.Schema{Type: "string", Format: "binary"}},
		}}}
		return op
	case len(r.answers) == 1:
		schema = d.schema(r.answers[0])
	default:
		schema = &huma.Schema{Description: "For staff, and for contacts."}
		for _, t := range r.answers {
			schema.AnyOf = append(schema.AnyOf, d.schema(t))
		}
	}
	ok := &huma.Response{Description: "OK", Headers: map[string]*huma.Param{
		staleHeader: {Description: "true when the answer has not reached the position in after=.", Schema: &huma.Schema{Type: "string"}},
	}}
	if r.paged {
		schema = pageOf(schema)
	} else if strings.HasSuffix(r.path, "/{id}") {
		ok.Headers["ETag"] = &huma.Param{Description: "The revision; send it back in If-Match with a command.", Schema: &huma.Schema{Type: "string"}}
	}
	ok.Content = map[string]*huma.MediaType{"application/json": {Schema: schema}}
	if r.exports {
		ok.Content["text/csv"] = &huma.MediaType{Schema: &huma.Schema{Type: "string"}}
	}
	op.Responses = map[string]*huma.Response{"200": ok}
	return op
}

func pageOf(item *huma.Schema) *huma.Schema {
	return &huma.Schema{
		Type: "object", Required: []string{"items", "position"},
		Properties: map[string]*huma.Schema{
			"items":    {Type: "array", Items: item},
			"previous": {Type: "string", Description: "The cursor of the page before; none on the first."},
			"next":     {Type: "string", Description: "The cursor of the next page; none on the last."},
			"position": positionSchema{}.Schema(nil),
			"stale":    {Type: "boolean", Description: "The answer has not reached the position in after=."},
		},
	}
}

// parameter describes a query parameter; filters and sorts are those of a collection.
func parameter(name string, c *collection) *huma.Param {
	p := &huma.Param{Name: name, In: "query", Schema: &huma.Schema{Type: "string"}}
	describe := func(doc string, schema *huma.Schema) *huma.Param {
		p.Description = doc
		if schema != nil {
			p.Schema = schema
		}
		return p
	}
	if c != nil {
		for _, f := range c.filters {
			if f.name == name {
				return describe(f.schema())
			}
		}
	}
	switch name {
	case "limit":
		low, high := 1.0, float64(maxLimit)
		return describe("How many items a page has.", &huma.Schema{Type: "integer", Minimum: &low, Maximum: &high, Default: defaultLimit})
	case "cursor":
		return describe("The place to go on from: next of the page before.", nil)
	case "sort":
		return describe("The order; a minus turns it round.", &huma.Schema{Type: "string", Enum: anys(c.sortNames()), Default: c.sortNames()[0]})
	case "q":
		return describe("Text to look for, in whatever case.", nil)
	case "after":
		return describe("Wait up to 2 seconds until the answer has reached this position.", positionSchema{}.Schema(nil))
	case asOfParameter:
		return describe("Answer as things were known at this instant, by the time of recording. What the caller may see is decided by today's permissions.", &huma.Schema{Type: "string", Format: "date-time"})
	case "current":
		return describe("Also how it stands now: what was paid, credited or voided since it was sent.", &huma.Schema{Type: "boolean"})
	case "about":
		return describe("Only what is about this: a project, an invoice or a contract of the account, such as contract-<id>.", nil)
	case "since":
		return describe("The number of entries of a seal that you hold: the bundle then proves that the log goes on from it.", &huma.Schema{Type: "integer"})
	case "person":
		return describe("Who did it: the id of a person, or the name of a part of the system.", nil)
	case "module":
		return describe("Kind of record: invoice, project, …", nil)
	case "action":
		return describe("What was done: InvoiceSent, StageAdvanced, …", nil)
	case "why":
		return describe("Only the entry at this position, and what led to it: cause by cause, up to a person or a clock.", positionSchema{}.Schema(nil))
	case "format":
		return describe("csv and json give everything at once, without pages.", &huma.Schema{Type: "string", Enum: anys(historyFormats), Default: historyFormats[0]})
	case "from", "to":
		if c != nil {
			return describe("A date of the period, included.", dateSchema{}.Schema(nil))
		}
		return describe("A date or a time (RFC 3339); to= a date includes the whole day.", nil)
	}
	return p
}

func (f filter) schema() (doc string, schema *huma.Schema) {
	switch f.kind {
	case byID:
		return "Only those of this " + f.name + ".", idSchema{}.Schema(nil)
	case byDate:
		return "A date, included.", dateSchema{}.Schema(nil)
	case byWords:
		return "One or more of " + strings.Join(f.words, ", ") + ", separated by commas.", nil
	case byYesNo:
		return "Only those that are, or that are not.", &huma.Schema{Type: "boolean"}
	}
	return "", nil
}

func anys(words []string) []any {
	list := make([]any, len(words))
	for i, w := range words {
		list[i] = w
	}
	return list
}

func (d *describer) command(c Command) *huma.Operation {
	doc := "For " + c.Who + "."
	if c.Creates {
		doc += " Makes a new thing, whose id is in the answer."
	}
	if len(c.Events) > 0 {
		doc += " Events of its kind of record: " + strings.Join(c.Events, ", ") + "."
	}
	return &huma.Operation{
		OperationID: c.Name, Tags: []string{"commands"}, Summary: words(c.Name), Description: doc,
		Parameters: []*huma.Param{
			{Name: "Idempotency-Key", In: "header", Description: "1 to 128 visible characters: the same key and body give the same answer again.", Schema: &huma.Schema{Type: "string"}},
			{Name: "If-Match", In: "header", Description: `The revision you saw, such as "4": another one is refused with 412.`, Schema: &huma.Schema{Type: "string"}},
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: d.schema(c.Type)}}},
		Responses: map[string]*huma.Response{
			"200": {
				Description: "Done, or nothing to do (no events).",
				Content:     map[string]*huma.MediaType{"application/json": {Schema: d.schema(reflect.TypeFor[receipt]())}},
			},
		},
	}
}

// receipt is the answer to a command.
type receipt struct {
	ID       domain.ID       `json:"id" doc:"of the thing it acted on or made"`
	Stream   string          `json:"stream"`
	Revision int64           `json:"revision"`
	Position domain.Position `json:"position"`
	Events   []string        `json:"events" doc:"empty when there was nothing to do"`
}

// words is a command's name as a sentence: SendInvoice becomes "Send invoice".
func words(name string) string {
	var b strings.Builder
	for i, c := range name {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteString(" " + strings.ToLower(string(c)))
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

// tidySchema says of lists that they are never null, which is true of ours.
func tidySchema(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	for _, property := range s.Properties {
		tidySchema(property)
	}
	tidySchema(s.Items)
	if more, ok := s.AdditionalProperties.(*huma.Schema); ok {
		tidySchema(more)
	}
}

// indented is JSON for people and for diffs; keys are sorted.
func indented(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var sorted any
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	if err := decoder.Decode(&sorted); err != nil {
		return nil, err
	}
	b, err = json.MarshalIndent(sorted, "", "  ")
	return append(b, '\n'), err
}
