package portaltest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Tab is a page in a browser with cookies of its own: one person.
type Tab struct {
	t        testing.TB
	ctx      context.Context
	problems *problems
}

// Tab opens an empty page for one person: 1280 by 800, light, without animations, in the zone Europe/Berlin. When the
// test ends, everything that the console said as an error fails it, among it what the content security policy
// refused.
func (b *Browser) Tab(t testing.TB) *Tab {
	t.Helper()
	p := &problems{}
	ctx, cancel := chromedp.NewContext(b.root, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	// The page must be there before anything else: a step with a time limit would take it along when it ends.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("in the browser: %v", err)
	}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatalf("in the browser: %v", err)
	}
	tab := &Tab{t, ctx, p}
	t.Cleanup(func() {
		if said := p.all(); len(said) > 0 {
			t.Errorf("the console of the page says: %s", strings.Join(said, "; "))
		}
	})
	tab.do(
		chromedp.EmulateViewport(1280, 800),
		call(log.Enable, cdp.Empty{}),
		call(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/Berlin"}),
	)
	tab.Dark(false)
	return tab
}

// call makes a step of a command of the protocol.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, command, params)
		return err
	})
}

func (p *Tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("in the browser: %v", err)
	}
}

func get[T any](p *Tab, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatalf("in the browser: %v", err)
	}
	return value
}

// Open goes to an address and waits until the page is loaded.
func (p *Tab) Open(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url))
}

// Size sets the size of the page. Up to 500 pixels it behaves like a phone.
func (p *Tab) Size(width, height int64) {
	p.t.Helper()
	if width <= 500 {
		p.do(chromedp.EmulateViewport(width, height, chromedp.EmulateMobile, chromedp.EmulateTouch))
		return
	}
	p.do(chromedp.EmulateViewport(width, height))
}

// Dark chooses the colour scheme.
func (p *Tab) Dark(dark bool) {
	p.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	p.do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}))
}

// Print shows pages as they are printed, or again as on a screen.
func (p *Tab) Print(print bool) {
	p.t.Helper()
	media := ""
	if print {
		media = "print"
	}
	p.do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media}))
}

// Script turns scripts on and off for the pages that are opened from now on.
func (p *Tab) Script(on bool) {
	p.t.Helper()
	p.do(call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}))
}

// Headers sends further headers with every request.
func (p *Tab) Headers(headers map[string]any) {
	p.t.Helper()
	p.do(call(network.Enable, network.EnableParams{}), call(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: headers}))
}

// Passkeys gives the person a security key that answers by itself. Pages must be on http://localhost.
func (p *Tab) Passkeys() {
	p.t.Helper()
	p.do(
		call(webauthn.Enable, webauthn.EnableParams{}),
		call(webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}}),
	)
}

// Click presses what a CSS selector finds first, once it can be seen.
func (p *Tab) Click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// Follow presses a link or a button that leads to another page, and waits for that page.
func (p *Tab) Follow(selector string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		p.t.Fatalf("following %s: %v", selector, err)
	}
}

// Type writes into a field in place of what is there.
func (p *Tab) Type(selector, text string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(selector)))
	// The library's own Clear changes the attribute, which a field that was typed into does not look at any more.
	Eval[bool](p, fmt.Sprintf(`((e) => { e.focus(); e.select(); return true; })(document.querySelector(%q))`, selector))
	if text == "" {
		text = kb.Delete
	}
	p.Press(text)
}

// Choose chooses an option of a select element by its value.
func (p *Tab) Choose(selector, value string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(selector)))
	if !Eval[bool](p, fmt.Sprintf(`((e) => {
		e.value = %q;
		e.dispatchEvent(new Event("input", { bubbles: true }));
		e.dispatchEvent(new Event("change", { bubbles: true }));
		return e.selectedIndex >= 0;
	})(document.querySelector(%q))`, value, selector)) {
		p.t.Fatalf("%s has no option %q", selector, value)
	}
}

// Press presses keys, such as "\t" or kb.Enter, wherever the focus is.
func (p *Tab) Press(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// Upload chooses files for a field.
func (p *Tab) Upload(selector string, files ...string) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS(selector), files))
}

// Draw moves the pressed pointer over an element in a zigzag.
func (p *Tab) Draw(selector string) {
	p.t.Helper()
	box := Eval[[]float64](p, fmt.Sprintf(`((e) => {
		e.scrollIntoView({ block: "center" });
		const r = e.getBoundingClientRect();
		return [r.x, r.y, r.width, r.height];
	})(document.querySelector(%q))`, selector))
	x, y, width, height := box[0], box[1], box[2], box[3]
	steps := []chromedp.Action[chromedp.Void]{chromedp.MouseEvent("mousePressed", x+width/8, y+height/2, chromedp.ButtonLeft)}
	for i := range 6 {
		steps = append(steps, chromedp.MouseEvent("mouseMoved", x+width*float64(i+2)/9, y+height*float64(1+i%2*2)/4, chromedp.ButtonLeft))
	}
	p.do(append(steps, chromedp.MouseEvent("mouseReleased", x+width*7/8, y+height/2, chromedp.ButtonLeft))...)
}

// Wait waits until something can be seen.
func (p *Tab) Wait(selector string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(selector)))
}

// WaitGone waits until something is not in the page any more.
func (p *Tab) WaitGone(selector string) {
	p.t.Helper()
	p.do(chromedp.WaitNotPresent(chromedp.CSS(selector)))
}

// WaitText waits until an element holds a text.
func (p *Tab) WaitText(selector, text string) {
	p.t.Helper()
	expression := fmt.Sprintf(`document.querySelector(%q)?.textContent.includes(%q)`, selector, text)
	p.WaitTrue(expression)
}

// WaitTrue waits until an expression of JavaScript, or the promise that it gives, is true, in this page or in one that it
// leads to.
func (p *Tab) WaitTrue(expression string) {
	p.t.Helper()
	wait := fmt.Sprintf(`new Promise((done, fail) => {
		const look = (left) => Promise.resolve().then(() => (%s)).then((ok) => ok ? done(true) : left ? setTimeout(look, 20, left - 1) : done(false), fail);
		look(%d);
	})`, expression, patience.Milliseconds()/2/20)
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for {
		// A page that is left takes the promise along: then the next one is asked.
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](wait, chromedp.EvalAwaitPromise))
		if ok {
			return
		}
		if err == nil || ctx.Err() != nil {
			p.t.Fatalf("%s does not come true in %s; the page says: %s", expression, p.URL(), Eval[string](p, `document.body.innerText.slice(0, 600)`))
		}
	}
}

// Text is the text of an element as it can be seen.
func (p *Tab) Text(selector string) string {
	p.t.Helper()
	return get(p, chromedp.Text(chromedp.CSS(selector)))
}

// URL is the address of the page.
func (p *Tab) URL() string {
	p.t.Helper()
	return get(p, chromedp.Location())
}

// Eval gives the value of an expression of JavaScript; a promise is waited for.
func Eval[T any](p *Tab, expression string) T {
	p.t.Helper()
	return get(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Shot writes a picture of the whole page to a PNG file.
func (p *Tab) Shot(path string) {
	p.t.Helper()
	picture := get(p, chromedp.FullScreenshot(100))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// hear notes what the console says as an error.
func (p *problems) hear(event any) {
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			p.add(e.Entry.Text + " " + e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		p.add(e.ExceptionDetails.Text + " " + exceptionText(e.ExceptionDetails))
	}
}

func exceptionText(d *runtime.ExceptionDetails) string {
	if d.Exception == nil {
		return ""
	}
	return d.Exception.Description
}
