package upload_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/upload"
	"github.com/atrium-portal/atrium/readapi/upload/uploadtest"
)

var (
	north         = domaintest.ID("north")
	administrator = &auth.Scope{Firm: north, Actor: domain.Actor{Kind: domain.Staff, ID: domaintest.ID("ada")}, Role: "administrator"}
)

func newDesk() (*upload.Desk, *uploadtest.Memory) {
	files := &uploadtest.Memory{}
	return &upload.Desk{Files: files}, files
}

// painted is a picture of a size with nothing but colour in it.
func painted(width, height int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = byte(i)
	}
	m.Set(0, 0, color.NRGBA{200, 10, 10, 255})
	return m
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// claimed is a PNG whose head says that it is of a size, whatever follows.
func claimed(width, height uint32) []byte {
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	head = binary.BigEndian.AppendUint32(head, height)
	head = append(head, 8, 6, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

// form writes a form with one file.
func form(t testing.TB, name string, content []byte) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err := errors.Join(err, w.WriteField("key", "k"), w.Close()); err != nil {
		t.Fatal(err)
	}
	return body, w.FormDataContentType()
}

// send sends a file through the whole desk.
func send(d *upload.Desk, scope *auth.Scope, body io.Reader, contentType string) (domain.File, error) {
	r := httptest.NewRequest(http.MethodPost, "/uploads", body)
	r.Header.Set("Content-Type", contentType)
	sent, err := d.Receive(httptest.NewRecorder(), r, domain.LogoFile)
	if err != nil {
		return domain.File{}, err
	}
	return d.Take(context.Background(), scope, domain.LogoFile, sent)
}

func sendFile(t testing.TB, d *upload.Desk, name string, content []byte) (domain.File, error) {
	t.Helper()
	body, contentType := form(t, name, content)
	return send(d, administrator, body, contentType)
}

// codeOf is the code of a fault, or what else went wrong.
func codeOf(err error) string {
	if fault, ok := errors.AsType[*domain.Fault](err); ok {
		return fault.Code
	}
	return fmt.Sprint(err)
}

func TestPicturesAreTakenAndMadeAnew(t *testing.T) {
	secret := []byte("GPSLatitude 53.5 <script>alert(1)</script>")
	for name, c := range map[string]struct {
		file          string
		content       []byte
		width, height int
	}{
		"a small one":            {"logo.png", pngOf(t, painted(40, 20)), 40, 20},
		"a JPEG":                 {"Logo.JPG", jpegOf(t, painted(40, 20)), 40, 20},
		"a wide one":             {"logo.png", pngOf(t, painted(1280, 64)), 640, 32},
		"a high one":             {"logo.jpeg", jpegOf(t, painted(100, 960)), 10, 96},
		"a thin one":             {"logo.png", pngOf(t, painted(1, 2000)), 1, 96},
		"a page behind it":       {"logo.png", append(pngOf(t, painted(40, 20)), secret...), 40, 20},
		"a program in the notes": {"logo.jpg", withComment(jpegOf(t, painted(40, 20)), secret), 40, 20},
		"a folder in its name":   {`C:\Users\ada\logo.png`, pngOf(t, painted(40, 20)), 40, 20},
	} {
		t.Run(name, func(t *testing.T) {
			d, files := newDesk()
			f, err := sendFile(t, d, c.file, c.content)
			if err != nil || f.Type != "image/png" {
				t.Fatalf("%+v, %v", f, err)
			}
			if _, found, err := files.Keep(context.Background(), north, f.ID, domain.LogoFile); !found || err != nil {
				t.Fatalf("not there: %v", err)
			}
			_, kept, _, _ := files.Read(context.Background(), domain.LogoFile, f.ID)
			got, err := png.Decode(bytes.NewReader(kept))
			if err != nil || got.Bounds().Dx() != c.width || got.Bounds().Dy() != c.height || int64(len(kept)) != f.Size {
				t.Fatalf("kept %v (%d bytes), %v", got.Bounds(), len(kept), err)
			}
			if bytes.Contains(kept, []byte("GPS")) || bytes.Contains(kept, []byte("script")) {
				t.Error("what was beside the picture is still there")
			}
		})
	}
}

// withComment puts a text into the head of a JPEG, where cameras write where they were.
func withComment(picture, text []byte) []byte {
	marker := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(text)+2))
	return append(append(append([]byte{}, picture[:2]...), append(marker, text...)...), picture[2:]...)
}

func TestOtherFilesAreRefused(t *testing.T) {
	good := pngOf(t, painted(40, 20))
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><foreignObject/></svg>`)
	for name, c := range map[string]struct {
		file    string
		content []byte
		code    string
	}{
		"a page named as a picture":   {"logo.png", []byte("<!DOCTYPE html><script>alert(1)</script>"), "picture-not-what-it-says"},
		"a PNG named JPEG":            {"logo.jpg", good, "picture-not-what-it-says"},
		"a GIF that is a program":     {"logo.png", []byte("GIF89a/*\x00\x00*/=alert(1)//"), "picture-not-what-it-says"},
		"a PDF":                       {"logo.pdf", []byte("%PDF-1.7"), "picture-kind"},
		"a page with a PNG's head":    {"logo.html", append([]byte("\x89PNG\r\n\x1a\n"), "<script>"...), "picture-kind"},
		"a PNG's head and then not":   {"logo.png", append([]byte("\x89PNG\r\n\x1a\n"), "<script>alert(1)</script>"...), "picture-unreadable"},
		"half a picture":              {"logo.png", good[:len(good)/2], "picture-unreadable"},
		"an SVG":                      {"logo.svg", svg, "picture-svg"},
		"an SVG named PNG":            {"logo.png", svg, "picture-svg"},
		"no ending":                   {"logo", good, "picture-kind"},
		"two endings":                 {"logo.png.exe", good, "picture-kind"},
		"far too many pixels":         {"logo.png", claimed(60_000, 60_000), "picture-too-many-pixels"},
		"more pixels than a number":   {"logo.png", claimed(1<<31-1, 1<<31-1), "picture-unreadable"},
		"a pixel too many":            {"logo.png", claimed(4_000_001, 1), "picture-too-many-pixels"},
		"nothing":                     {"logo.png", nil, "file-required"},
		"more bytes than are allowed": {"logo.png", append(good, make([]byte, 1<<20)...), "file-too-large"},
	} {
		d, files := newDesk()
		if f, err := sendFile(t, d, c.file, c.content); codeOf(err) != c.code {
			t.Errorf("%s: %+v, %v; want %s", name, f, err, c.code)
		}
		if n, _ := files.Waiting(context.Background(), north, 9); n != 0 {
			t.Errorf("%s is kept", name)
		}
	}
}

// endless gives the head of a form and then bytes without end. It counts what was taken of it.
type endless struct {
	head  io.Reader
	taken int64
}

func (e *endless) Read(b []byte) (int, error) {
	n, err := e.head.Read(b)
	if errors.Is(err, io.EOF) {
		n, err = len(b), nil
	}
	e.taken += int64(n)
	return n, err
}

func TestBodiesWithoutEndAreCut(t *testing.T) {
	body, contentType := form(t, "logo.png", nil)
	d, _ := newDesk()
	for name, head := range map[string]string{
		"in the file":        strings.Split(body.String(), "\r\n\r\n")[0] + "\r\n\r\n",
		"in a field":         strings.Replace(strings.Split(body.String(), "\r\n\r\n")[0], `name="file"; filename="logo.png"`, `name="key"`, 1) + "\r\n\r\n",
		"before any of them": "no form at all",
	} {
		e := &endless{head: strings.NewReader(head)}
		if _, err := send(d, administrator, e, contentType); err == nil || domain.AsFault(err).Kind == domain.Internal {
			t.Errorf("%s: %v", name, err)
		}
		if e.taken > 2<<20 {
			t.Errorf("%s: %d bytes were read", name, e.taken)
		}
	}
}

func TestFormsOfTooManyPartsAreRefused(t *testing.T) {
	d, _ := newDesk()
	write := func(f func(*multipart.Writer) error) (io.Reader, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		if err := errors.Join(f(w), w.Close()); err != nil {
			t.Fatal(err)
		}
		return &b, w.FormDataContentType()
	}
	for name, f := range map[string]func(*multipart.Writer) error{
		"10,000 fields": func(w *multipart.Writer) (err error) {
			for range 10_000 {
				err = errors.Join(err, w.WriteField("a", "b"))
			}
			return err
		},
		"two files": func(w *multipart.Writer) error {
			for range 2 {
				if _, err := w.CreateFormFile("file", "logo.png"); err != nil {
					return err
				}
			}
			return nil
		},
		"a long field": func(w *multipart.Writer) error { return w.WriteField("key", strings.Repeat("k", 5000)) },
	} {
		body, contentType := write(f)
		if _, err := send(d, administrator, body, contentType); codeOf(err) != "upload-parts" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := send(d, administrator, strings.NewReader(`{"file":1}`), "application/json"); codeOf(err) != "content-type" {
		t.Errorf("JSON: %v", err)
	}
	body, contentType := form(t, "logo.png", pngOf(t, painted(40, 20)))
	if _, err := send(d, administrator, bytes.NewReader(body.Bytes()[:body.Len()-30]), contentType); codeOf(err) != "upload-unreadable" {
		t.Errorf("a form that ends early: %v", err)
	}
}

// TestSlowBodiesAreCut sends the head of a form over a connection, and then nothing.
func TestSlowBodiesAreCut(t *testing.T) {
	d, _ := newDesk()
	d.Patience = 50 * time.Millisecond
	got := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := d.Receive(w, r, domain.LogoFile)
		got <- err
	}))
	defer server.Close()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n--b\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-got; codeOf(err) != "upload-too-slow" {
		t.Errorf("%v", err)
	}
}

func TestOnlyAdministratorsSendLogos(t *testing.T) {
	d, _ := newDesk()
	content := pngOf(t, painted(40, 20))
	for name, scope := range map[string]*auth.Scope{
		"a manager":     {Firm: north, Actor: domain.Actor{Kind: domain.Staff}, Role: "manager"},
		"a client":      {Firm: north, Actor: domain.Actor{Kind: domain.Client}, Role: "administrator"},
		"in a preview":  {Firm: north, Actor: administrator.Actor, Role: "administrator", Preview: &auth.Preview{}},
		"somebody else": {},
	} {
		body, contentType := form(t, "logo.png", content)
		if _, err := send(d, scope, body, contentType); codeOf(err) != "not-permitted" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := d.Allow(administrator, "program"); codeOf(err) != "purpose-unknown" {
		t.Errorf("another purpose: %v", err)
	}
}

func TestUploadsThatNobodyUsesAreFew(t *testing.T) {
	d, _ := newDesk()
	content := pngOf(t, painted(4, 2))
	for n := range 21 {
		_, err := sendFile(t, d, "logo.png", content)
		if want := n == 20; want != (codeOf(err) == "uploads-waiting") {
			t.Fatalf("upload %d: %v", n, err)
		}
	}
}

func TestLogosAreServed(t *testing.T) {
	d, files := newDesk()
	f, err := sendFile(t, d, "logo.png", pngOf(t, painted(40, 20)))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		d.Logos().ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	at := upload.LogoPath(f)
	if a := ask(http.MethodGet, at); a.Code != http.StatusNotFound {
		t.Errorf("what no command used is given: %d", a.Code)
	}
	if _, _, err := files.Keep(context.Background(), north, f.ID, domain.LogoFile); err != nil {
		t.Fatal(err)
	}
	a := ask(http.MethodGet, at)
	if a.Code != http.StatusOK || int64(a.Body.Len()) != f.Size {
		t.Fatalf("%d, %d bytes", a.Code, a.Body.Len())
	}
	for header, want := range map[string]string{
		"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
		"Cache-Control": "public, max-age=31536000, immutable", "Cross-Origin-Resource-Policy": "same-origin", "ETag": `"` + f.SHA256 + `"`,
		"Content-Disposition": `inline; filename="logo.png"`,
	} {
		if got := a.Header().Get(header); got != want {
			t.Errorf("%s: %q", header, got)
		}
	}
	other := f
	other.ID = domaintest.ID("other")
	for _, path := range []string{
		upload.LogoPath(other), "/logos/", "/logos/" + f.ID.String(), "/logos/" + f.ID.String() + "/", "/logos/" + strings.ToUpper(f.ID.String()) + "/" + f.SHA256 + ".png",
		"/logos/" + f.ID.String() + "/" + f.SHA256[:63] + "0.gif", "/logos/../secrets/key", "/logos/%2e%2e/secrets", "/logos/" + f.SHA256 + "/" + f.SHA256 + ".png",
	} {
		a := ask(http.MethodGet, path)
		if a.Code != http.StatusNotFound || strings.Contains(a.Header().Get("Cache-Control"), "immutable") || a.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d, %v", path, a.Code, a.Header())
		}
	}
	if a := ask(http.MethodPost, at); a.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", a.Code)
	}
	if upload.LogoPath(domain.File{}) != "" {
		t.Error("there is an address of no logo")
	}
}

func FuzzPicture(f *testing.F) {
	f.Add("logo.png", pngOf(f, painted(4, 2)))
	f.Add("logo.jpg", jpegOf(f, painted(4, 2)))
	f.Add("logo.png", claimed(60_000, 60_000))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		d, _ := newDesk()
		got, err := d.Take(context.Background(), administrator, domain.LogoFile, &upload.Sent{Name: name, Content: content, File: true})
		if err != nil && domain.AsFault(err).Kind == domain.Internal {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

// FuzzForm reads anything as an upload: it is taken or refused with a reason, never by a mistake of ours.
func FuzzForm(f *testing.F) {
	body, contentType := form(f, "logo.png", pngOf(f, painted(4, 2)))
	f.Add(contentType, body.Bytes())
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=file; filename=\"..\\..\\a.png\"\r\n\r\n\r\n--x--"))
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n--x"))
	f.Add("multipart/form-data", []byte("--\r\n"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		d, _ := newDesk()
		got, err := send(d, administrator, bytes.NewReader(body), contentType)
		if err != nil && domain.AsFault(err).Kind == domain.Internal {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}
