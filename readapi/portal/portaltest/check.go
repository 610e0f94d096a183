package portaltest

import (
	"fmt"
	"os"
	"strings"
)

// Check fails the test for everything that makes the page hard to use: what CheckLook finds, links that were refused
// when the page was made, and a way through the page by Tab that leaves out or hides something. name stands in the
// messages.
func Check(p *Tab, name string) {
	p.t.Helper()
	CheckLook(p, name)
	for _, problem := range append(Eval[[]string](p, refused), walk(p)...) {
		p.t.Errorf("%s: %s", name, problem)
	}
}

// CheckLook fails the test for what axe-core finds (WCAG 2.2 A and AA, and good practice), and for what CheckWidth finds.
func CheckLook(p *Tab, name string) {
	p.t.Helper()
	for _, problem := range axe(p, `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`) {
		p.t.Errorf("%s: %s", name, problem)
	}
	CheckWidth(p, name)
}

// CheckWidth fails the test when the page is wider than its window, or a table than its frame.
func CheckWidth(p *Tab, name string) {
	p.t.Helper()
	found := Eval[[]string](p, cut)
	if wide := Eval[int](p, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
		found = append(found, fmt.Sprintf("the page is %d pixels wider than its window: %s", wide, Eval[string](p, widest)))
	}
	for _, problem := range found {
		p.t.Errorf("%s: %s", name, problem)
	}
}

// CheckColors fails the test for text that has too little contrast: what is left to check in the other scheme.
func CheckColors(p *Tab, name string) {
	p.t.Helper()
	for _, problem := range axe(p, `{ type: "rule", values: ["color-contrast"] }`) {
		p.t.Errorf("%s: %s", name, problem)
	}
}

// widest names what sticks out at the right.
const widest = `[...document.querySelectorAll("main *, header *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
	.slice(0, 3).map((e) => e.tagName.toLowerCase() + "." + e.className).join(", ") || "?"`

// cut finds tables that stick out of their frame, which hides what sticks out.
const cut = `[...document.querySelectorAll("table")].filter((e) => e.checkVisibility() && !e.closest(".hidden, .board") &&
	e.getBoundingClientRect().right > e.parentElement.getBoundingClientRect().right + 1)
	.map((e) => "a table is wider than its frame: " + e.caption?.textContent)`

// refused finds what the templates or the content security policy would not take.
const refused = `[
	...[...document.querySelectorAll("[href*='about:invalid'], [src*='about:invalid'], [action*='about:invalid']")].map((e) => "an address was refused: " + e.outerHTML.slice(0, 120)),
	...[...document.querySelectorAll("[style]")].filter((e) => !e.closest("dialog")).map((e) => "an inline style: " + e.outerHTML.slice(0, 120)),
	...[...document.querySelectorAll("[onclick], [onsubmit], [onchange], script:not([src]):not([type='application/json'])")].map((e) => "an inline script: " + e.outerHTML.slice(0, 120)),
]`

// axe runs rules of axe-core and gives the violations.
func axe(p *Tab, rules string) []string {
	p.t.Helper()
	source, err := os.ReadFile(tool(p.t, "node_modules/axe-core/axe.min.js", ".ci/install-npm-packages"))
	if err != nil {
		p.t.Fatal(err)
	}
	if !Eval[bool](p, `"axe" in window`) {
		Eval[bool](p, string(source)+"; true")
	}
	return Eval[[]string](p, `axe.run(document, { runOnly: `+rules+`, resultTypes: ["violations"] })
		.then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + v.help + ": " + n.target.join(" ") + ": " + n.html.slice(0, 160) + " " + n.any.map((a) => a.message).join(" "))))`)
}

// walk goes through the page by Tab, once around from wherever the focus is. Each stop must be visible, and look
// different with the focus than without it. A page that was shown anew in between is walked again.
func walk(p *Tab) []string {
	p.t.Helper()
	for range 5 {
		if found, whole := walkOnce(p); whole {
			return found
		}
	}
	return []string{"the page does not stay as it is"}
}

func walkOnce(p *Tab) (found []string, whole bool) {
	p.t.Helper()
	steps := Eval[int](p, walkStart)
	for range steps {
		p.Press("\t")
		problem := Eval[string](p, `walk.step()`)
		if problem == "done" {
			break
		}
		if problem != "" {
			found = append(found, problem)
		}
	}
	whole = Eval[bool](p, `walk.all.every((e) => e.isConnected)`)
	if missed := Eval[[]string](p, `walk.missed()`); len(missed) > 0 {
		found = append(found, "Tab does not come to "+strings.Join(missed, ", "))
	}
	Eval[bool](p, `(document.activeElement?.blur(), scrollTo(0, 0), true)`) // as it was: a focus can cover something
	return found, whole
}

// walkStart lists what Tab should come to, and says how many steps that may take. Radio buttons of one name are one
// stop; a date has one for each of its parts.
const walkStart = `(() => {
	const name = (e) => e.outerHTML.slice(0, 100);
	const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest("[inert]");
	const within = document.querySelector("dialog[open]") || document;
	const focusable = [...within.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")]
		.filter((e) => e.tabIndex >= 0 && !e.disabled && shown(e));
	const radios = new Set();
	const all = focusable.filter((e) => e.type !== "radio" || !e.name || (!radios.has(e.name) && radios.add(e.name)));
	document.activeElement?.blur?.();
	getSelection().removeAllRanges();
	const looks = (e) => ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "backgroundColor", "borderColor"].map((k) => getComputedStyle(e)[k]).join();
	const plain = new Map(all.map((e) => [e, looks(e)]));
	const seen = new Set();
	window.walk = {
		all,
		step() {
			const e = document.activeElement;
			if (seen.size >= all.length) return "done";
			if (!e || e === document.body || seen.has(e)) return "";
			seen.add(e);
			const r = e.getBoundingClientRect();
			if (r.width < 1 || r.height < 1) return "the focus is on something that cannot be seen: " + name(e);
			const top = document.elementFromPoint(Math.min(Math.max(r.x + r.width / 2, 0), innerWidth - 1), Math.min(Math.max(r.y + r.height / 2, 0), innerHeight - 1));
			if (r.bottom < 0 || r.top > innerHeight) return "the focus is outside of the window: " + name(e);
			if (top && !e.contains(top) && !top.contains(e) && !top.closest("label")?.contains(e)) return "the focus is covered: " + name(e) + " by " + name(top);
			const style = getComputedStyle(e);
			if (plain.get(e) === looks(e) || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) < 2 && style.outlineStyle !== "auto")) return "the focus cannot be seen on " + name(e);
			return "";
		},
		missed() {
			const group = (e) => e.type === "radio" ? e.name : null, groups = new Set([...seen].map(group));
			return all.filter((e) => !seen.has(e) && !(group(e) && groups.has(group(e)))).map(name);
		},
	};
	return all.length + 4 * all.filter((e) => e.type === "date").length + 4;
})()`
