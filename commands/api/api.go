// Package api serves commands over HTTP: POST /api/v1/commands/{Name}, derived from the menu.
//
// A body holds exactly the command's fields: an unknown field, a field given twice, a wrong type or anything after the
// object is refused with its name. With an Idempotency-Key the command's id derives from the key, so that repeating it
// takes effect once even when the reply of the first was never recorded; answers are remembered and given again.
//
// It may import commands, domain, chi and a strict JSON decoder. Errors are RFC 9457 problem documents.
package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
)

// MaxBody is the largest body of a command, in bytes.
const MaxBody = 1 << 20

// Dispatcher runs commands: a *commands.Loop.
type Dispatcher interface {
	Dispatch(context.Context, commands.Order) (commands.Receipt, error)
}

// Caller tells who makes a request: Meta with firm, actor, session, network address and request id, and a fresh
// command id.
type Caller func(*http.Request) (domain.Meta, error)

// Replies remembers the answers given to idempotency keys, per firm and actor, also after a restart.
type Replies interface {
	// Find returns the remembered answer, if any. A key used with another body is commands.IdempotencyMismatch.
	Find(ctx context.Context, key ReplyKey) (status int, body []byte, found bool, err error)
	// Keep remembers an answer; the first one kept wins.
	Keep(ctx context.Context, key ReplyKey, status int, body []byte) error
}

// ReplyKey names a remembered answer. Digest is the SHA-256 of the command's name and body.
type ReplyKey struct {
	Firm   domain.ID
	Actor  string
	Key    string
	Digest [32]byte
}

// Problem writes an error as a problem document; readapi has the same shape.
type Problem func(http.ResponseWriter, *http.Request, error)

// Routes mounts POST /{name} on r.
func Routes(r chi.Router, menu *commands.Menu, loop Dispatcher, caller Caller, replies Replies, problem Problem) {
	h := handler{menu, loop, caller, replies}
	r.Post("/{name}", func(w http.ResponseWriter, req *http.Request) {
		status, body, err := h.run(w, req)
		if err != nil {
			problem(w, req, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		w.Write(body) //nolint:errcheck // the client has gone; there is nobody to tell
	})
}

type handler struct {
	menu    *commands.Menu
	loop    Dispatcher
	caller  Caller
	replies Replies
}

func (h handler) run(w http.ResponseWriter, r *http.Request) (int, []byte, error) {
	meta, err := h.caller(r)
	if err != nil {
		return 0, nil, err
	}
	entry := h.menu.Entry(chi.URLParam(r, "name"))
	if entry == nil || entry.Who.Internal() {
		return 0, nil, &domain.Fault{Kind: domain.NotFound, Code: "unknown-command", Message: "There is no such command. /api/docs lists them."}
	}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/json" {
		return 0, nil, &domain.Fault{Kind: domain.Malformed, Code: "content-type", Message: "Send the command as application/json."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return 0, nil, &domain.Fault{Kind: domain.TooLarge, Code: "body-too-large", Message: "A command may have at most 1 MiB."}
		}
		return 0, nil, &domain.Fault{Kind: domain.Malformed, Code: "body-unreadable", Message: "The request ended before its body did."}
	}
	command, err := Decode(entry, body)
	if err != nil {
		return 0, nil, err
	}
	order := commands.Order{Name: entry.Name, Command: command, Meta: meta}
	if order.Pinned, err = pinned(r); err != nil {
		return 0, nil, err
	}
	key, keyed, err := idempotencyKey(r, meta, entry.Name, body)
	if err != nil {
		return 0, nil, err
	}
	if keyed {
		if status, reply, found, err := h.replies.Find(r.Context(), key); err != nil || found {
			return status, reply, err
		}
		order.Meta.Command = domain.DeriveID("idempotency-key", meta.Firm.String(), key.Actor, key.Key)
		order.Meta.Digest = hex.EncodeToString(key.Digest[:8])
	}
	receipt, err := h.loop.Dispatch(r.Context(), order)
	if err != nil {
		return 0, nil, err
	}
	reply, err := json.Marshal(receipt)
	if err != nil {
		return 0, nil, err
	}
	if keyed {
		// The events are stored and the key leads back to them: failing to remember the answer costs nothing.
		if err := h.replies.Keep(r.Context(), key, http.StatusOK, reply); err != nil && !errors.Is(err, context.Canceled) {
			return 0, nil, err
		}
	}
	return http.StatusOK, reply, nil
}

// Decode reads a command's body strictly. Faults are Malformed and name the field.
func Decode(entry *commands.Entry, body []byte) (any, error) {
	pointer := reflect.New(entry.Command)
	err := json.Unmarshal(bytes.TrimSpace(body), pointer.Interface(), json.RejectUnknownMembers(true), json.WithUnmarshalers(plainText))
	if err == nil {
		return pointer.Elem().Interface(), nil
	}
	fault := &domain.Fault{Kind: domain.Malformed, Code: "body-malformed", Message: "The body must be one JSON object with the fields of " + entry.Name + ": " + reason(err) + "."}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		fault.Field = path(semantic.JSONPointer)
		switch {
		case errors.Is(err, json.ErrUnknownName):
			fault.Code, fault.Message = "unknown-field", entry.Name+" has no field "+fault.Field+"."
		default:
			fault.Code, fault.Message = "wrong-type", "The field "+fault.Field+" cannot be read: "+reason(err)+"."
		}
	} else if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		fault.Field = path(syntactic.JSONPointer)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			fault.Code, fault.Message = "duplicate-field", "The field "+fault.Field+" is given twice."
		}
	}
	return nil, fault
}

// plainText reads personal text, which comes from people as a string; its sealed form is only for stored events.
var plainText = json.UnmarshalFunc(func(raw []byte, p *domain.Personal) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	*p = domain.P(text)
	return nil
})

// path turns a JSON pointer into the form of our field names: /lines/2/quantity -> lines[2].quantity.
func path(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		switch _, err := strconv.Atoi(token); {
		case err == nil:
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	return b.String()
}

// reason is the innermost cause, without Go types.
func reason(err error) string {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		if semantic.Err != nil {
			return semantic.Err.Error()
		}
		return "a JSON " + semantic.JSONKind.String() + " does not fit here"
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return syntactic.Err.Error()
	}
	return "it cannot be read"
}

// pinned reads If-Match: "<revision>".
func pinned(r *http.Request) (*int64, error) {
	header := r.Header.Get("If-Match")
	if header == "" {
		return nil, nil
	}
	revision, err := strconv.ParseInt(strings.Trim(header, `"`), 10, 64)
	if err != nil || revision < 0 {
		return nil, &domain.Fault{Kind: domain.Malformed, Code: "if-match", Field: "If-Match", Message: `Give the revision you saw, such as If-Match: "4".`}
	}
	return &revision, nil
}

func idempotencyKey(r *http.Request, m domain.Meta, name string, body []byte) (ReplyKey, bool, error) {
	given, present := r.Header["Idempotency-Key"]
	if !present {
		return ReplyKey{}, false, nil
	}
	key := given[0]
	if len(given) > 1 || key == "" || len(key) > 128 || strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return ReplyKey{}, false, &domain.Fault{Kind: domain.Malformed, Code: "idempotency-key", Field: "Idempotency-Key", Message: "Give one key of 1 to 128 visible ASCII characters."}
	}
	return ReplyKey{m.Firm, m.Actor.Ref(), key, sha256.Sum256(append([]byte(name+"\n"), body...))}, true, nil
}
