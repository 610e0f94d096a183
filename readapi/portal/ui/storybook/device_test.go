package storybook_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/readapi/portal/portaltest"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// desk is a server that takes passkeys and files.
func desk(t *testing.T) (address string) {
	t.Helper()
	page := func(w http.ResponseWriter, title string, content ...templ.Component) {
		frame := ui.AuthLayout(ui.AuthPage{Title: title, Brand: ui.Brand{Name: "North & Field"}, Home: "/"})
		_ = frame.Render(templ.WithChildren(context.Background(), templ.Join(content...)), w)
	}
	reply := func(w http.ResponseWriter, code int, answer any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(answer)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", ui.Static())
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refused":
			page(w, "Add a passkey", ui.PasskeyButton(ui.PasskeyProps{Label: "Add a passkey", Register: true, Begin: "/begin", Finish: "/refuse"}))
		case "/upload":
			fields := templ.Join(ui.FileInput(ui.Field{Name: "file", Label: "Logo"}, ".png"), ui.Button(ui.ButtonProps{Label: "Send"}))
			page(w, "Send a file", templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
				return ui.Form(ui.FormProps{Action: "/upload", Upload: true}).Render(templ.WithChildren(ctx, fields), w)
			}))
		case "/done":
			page(w, "Done")
		default:
			page(w, "Add a passkey", ui.PasskeyButton(ui.PasskeyProps{Label: "Add a passkey", Register: true, Begin: "/begin", Finish: "/finish"}))
		}
	})
	mux.HandleFunc("POST /begin", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, map[string]any{"publicKey": map[string]any{
			"challenge": "c29tZS1jaGFsbGVuZ2U", "rp": map[string]string{"id": "localhost", "name": "Atrium"},
			"user":             map[string]string{"id": "b2xnYQ", "name": "olga@aurora.example", "displayName": "Olga Ortiz"},
			"pubKeyCredParams": []map[string]any{{"type": "public-key", "alg": -7}},
		}})
	})
	mux.HandleFunc("POST /finish", func(w http.ResponseWriter, r *http.Request) {
		var made struct {
			Type     string
			Response struct{ AttestationObject string }
		}
		if err := json.NewDecoder(r.Body).Decode(&made); err != nil || made.Type != "public-key" || made.Response.AttestationObject == "" {
			reply(w, 422, map[string]string{"detail": "This is not a passkey."})
			return
		}
		reply(w, 200, map[string]string{"location": "/done"})
	})
	mux.HandleFunc("POST /refuse", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 409, map[string]string{"detail": "This key is known already. Use another one."})
	})
	mux.HandleFunc("POST /upload", func(w http.ResponseWriter, r *http.Request) {
		if file, head, err := r.FormFile("file"); err == nil {
			content, _ := io.ReadAll(file)
			if head.Filename == "logo.png" && string(content) == "a picture" {
				http.Redirect(w, r, "/done", http.StatusSeeOther)
				return
			}
		}
		w.WriteHeader(http.StatusUnprocessableEntity)
		page(w, "Send a file", ui.ErrorSummary(ui.FieldErrors{{ID: "file", Message: "Send a picture."}}))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	// Passkeys belong to a name, not to an address.
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

func TestDevices(t *testing.T) {
	address := desk(t)
	browser := portaltest.Start(t)

	t.Run("a passkey is made", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Passkeys()
		tab.Open(address)
		tab.Click("[data-passkey]")
		tab.WaitText("h1", "Done")
	})

	t.Run("a passkey that is refused says why", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Expect("409")
		tab.Passkeys()
		tab.Open(address + "/refused")
		tab.Click("[data-passkey]")
		tab.WaitText("[data-passkey-error]", "This key is known already. Use another one.")
	})

	t.Run("a file is sent, with scripts and without", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "logo.png")
		if err := os.WriteFile(file, []byte("a picture"), 0o600); err != nil {
			t.Fatal(err)
		}
		tab := browser.Tab(t)
		for _, script := range []bool{true, false} {
			tab.Script(script)
			tab.Open(address + "/upload")
			tab.Upload("#file", file)
			if script {
				tab.Click("form .button")
				tab.WaitText("h1", "Done")
				continue
			}
			// Where scripts are off nothing in the page can wait for text: the next page is the answer.
			tab.Follow("form .button")
			tab.Wait(".card h1")
			if got := tab.Text("h1"); !strings.Contains(got, "Done") {
				t.Errorf("without scripts the page says %q", got)
			}
		}
	})

	t.Run("what is wrong with a file is said", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "notes.png")
		if err := os.WriteFile(file, []byte("words"), 0o600); err != nil {
			t.Fatal(err)
		}
		tab := browser.Tab(t)
		tab.Expect("422")
		tab.Open(address + "/upload")
		tab.Upload("#file", file)
		tab.Click("form .button")
		tab.WaitText(".errors", "Send a picture.")
	})
}
