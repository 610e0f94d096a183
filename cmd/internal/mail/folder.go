package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Folder keeps messages as .eml files, which any mail program opens.
type Folder struct {
	dir  string
	from *netmail.Address
}

// NewFolder keeps messages in a folder, which is made when the first one comes.
func NewFolder(dir, from string) (*Folder, error) {
	sender, err := netmail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("the sender of mails %q is not an address such as portal@north.example", from)
	}
	return &Folder{dir, sender}, nil
}

// Send implements Transport.
func (f *Folder) Send(_ context.Context, m Message) error {
	msg, err := compose(m, f.from)
	if err != nil {
		return err
	}
	var content bytes.Buffer
	if _, err := msg.WriteTo(&content); err != nil {
		return err
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(f.dir, m.Created.UTC().Format("20060102T150405.000000Z")+"-"+m.ID+".eml"), content.Bytes(), 0o600)
}

// Received is a message as the mailbox shows it.
type Received struct {
	File    string    `json:"file"`
	ID      string    `json:"id"` // its Message-ID
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Time    time.Time `json:"time"`
	Text    string    `json:"text"`
	HTML    string    `json:"html,omitempty"`
	Links   []string  `json:"links"` // that its text names, in order
}

// newestOnly is how many messages the mailbox shows.
const newestOnly = 100

// Messages gives the newest messages, the newest first.
func (f *Folder) Messages() ([]Received, error) {
	files, err := filepath.Glob(filepath.Join(f.dir, "*.eml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	slices.Reverse(files)
	list := []Received{}
	for _, file := range files[:min(len(files), newestOnly)] {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		m, err := read(content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		m.File = filepath.Base(file)
		list = append(list, m)
	}
	return list, nil
}

var address = regexp.MustCompile(`https?://\S+`)

// read takes a message apart.
func read(content []byte) (m Received, err error) {
	msg, err := netmail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		return m, err
	}
	var words mime.WordDecoder
	for header, to := range map[string]*string{"From": &m.From, "To": &m.To, "Subject": &m.Subject} {
		if *to, err = words.DecodeHeader(msg.Header.Get(header)); err != nil {
			return m, err
		}
	}
	m.ID = msg.Header.Get("Message-ID")
	if m.Time, err = msg.Header.Date(); err != nil {
		return m, err
	}
	m.Time = m.Time.UTC()
	kind, parameters, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		return m, err
	}
	if !strings.HasPrefix(kind, "multipart/") {
		err = m.part(kind, msg.Header.Get("Content-Transfer-Encoding"), msg.Body)
	} else {
		parts := multipart.NewReader(msg.Body, parameters["boundary"])
		for err == nil {
			var p *multipart.Part
			if p, err = parts.NextRawPart(); err == nil {
				err = m.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)
			}
		}
		if err == io.EOF { //nolint:errorlint // the very value ends the parts
			err = nil
		}
	}
	m.Links = address.FindAllString(m.Text, -1)
	if m.Links == nil {
		m.Links = []string{}
	}
	return m, err
}

func (m *Received) part(contentType, encoding string, body io.Reader) error {
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	content, err := io.ReadAll(body)
	text := strings.ReplaceAll(string(content), "\r\n", "\n")
	if strings.HasPrefix(contentType, "text/html") {
		m.HTML = text
	} else {
		m.Text = text
	}
	return err
}

// ServeHTTP is the mailbox of a developer: a page, or JSON where the path ends in .json.
func (f *Folder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	list, err := f.Messages()
	if err != nil {
		http.Error(w, "the mailbox cannot be read: "+err.Error(), http.StatusInternalServerError)
		return
	}
	if strings.HasSuffix(r.URL.Path, ".json") {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string][]Received{"items": list}) //nolint:errcheck // the client has gone; there is nobody to tell
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+mailboxStyleHash+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	if err := mailbox.Execute(w, map[string]any{"Style": template.CSS(mailboxStyle), "Messages": list, "Folder": f.dir}); err != nil {
		return // the client has gone; there is nobody to tell
	}
}
