package portal_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"

	"github.com/atrium-portal/atrium/domain"
)

// sendFile posts a form with a file.
func (w *world) sendFile(path, who, key, name string, content []byte) answer {
	w.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	err := form.WriteField("key", key)
	if part, e := form.CreateFormFile("file", name); e == nil {
		_, e = part.Write(content)
		err = errors.Join(err, e)
	}
	if err := errors.Join(err, form.Close()); err != nil {
		w.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, &b)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return w.ask(r, who)
}

var logoAddress = regexp.MustCompile(`<img src="(/logos/[^"]+)"`)

func TestStaffSetTheLogo(t *testing.T) {
	w := newWorld(t)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewNRGBA(image.Rect(0, 0, 40, 20))); err != nil {
		t.Fatal(err)
	}
	const at = "/staff/settings/logo"
	holds(t, w.page(at, "ada"), "No logo yet", `enctype="multipart/form-data"`, "Choose a picture")
	key := domain.NewID().String()

	bad := w.sendFile(at, "ada", key, "logo.png", []byte("<!DOCTYPE html><script>alert(1)</script>"))
	if bad.status != http.StatusUnprocessableEntity {
		t.Fatalf("a page named as a picture: %d", bad.status)
	}
	holds(t, bad.body, "its content is something else", `id="file-error"`, `value="`+key+`"`)
	holds(t, w.sendFile(at, "ada", key, "logo.svg", []byte("<svg/>")).body, "Save the picture as PNG")

	for range 2 { // a double click
		if a := w.sendFile(at, "ada", key, "logo.png", picture.Bytes()); a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, short(a.body))
		}
	}
	found := logoAddress.FindStringSubmatch(w.page(at, "ada"))
	if found == nil {
		t.Fatal("the page does not show the logo")
	}
	for _, page := range []string{w.page("/", "olga"), w.page("/staff", "max")} {
		holds(t, page, `<img src="`+found[1]+`" alt="North"`)
	}
	lacks(t, w.page("/staff", "sue"), "/logos/")
	logo := httptest.NewRecorder()
	w.options.Uploads.Logos().ServeHTTP(logo, httptest.NewRequest(http.MethodGet, found[1], nil))
	if logo.Code != http.StatusOK || logo.Header().Get("Content-Type") != "image/png" {
		t.Errorf("the logo: %d %s", logo.Code, logo.Header().Get("Content-Type"))
	}
	holds(t, w.page("/staff/history?module=firm", "max"), "changed the firm&#39;s logo")
	if n := len(slices.DeleteFunc(w.log.All(), func(r domain.Recorded) bool { return r.Type != "FirmLogoSet" })); n != 1 {
		t.Errorf("the double click changed it %d times", n)
	}
	if a := w.sendFile(at, "sue", domain.NewID().String(), "logo.png", picture.Bytes()); a.status != http.StatusSeeOther {
		t.Errorf("the other firm's administrator: %d", a.status)
	}
	if other := logoAddress.FindStringSubmatch(w.page("/staff", "sue")); other == nil || other[1] == found[1] {
		t.Errorf("the other firm shows %v", other)
	}

	w.send(at+"/remove", "ada")
	lacks(t, w.page("/", "olga"), "/logos/")
	holds(t, w.page(at, "ada"), "No logo yet")
	without := w.sendFile(at, "ada", "no key", "logo.png", picture.Bytes())
	if without.status != http.StatusBadRequest {
		t.Errorf("a form without its key: %d", without.status)
	}
}
