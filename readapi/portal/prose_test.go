package portal

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func shown(t interface{ Fatal(...any) }, text string) string {
	var b bytes.Buffer
	if err := proseView(text).Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestProse(t *testing.T) {
	for text, want := range map[string]string{
		"Just words.":                   "<p>Just words.</p>",
		"One line\nand another":         "<p>One line<br>and another</p>",
		"# Terms\n\nWe agree.":          "<h2>Terms</h2><p>We agree.</p>",
		"## 1. What\n### Why":           "<h3>1. What</h3><h3>Why</h3>",
		"- one\n- two\n\nAfter":         "<ul><li>one</li><li>two</li></ul><p>After</p>",
		"- one\n  goes on\n- two":       "<ul><li>one goes on</li><li>two</li></ul>",
		"1. one\n2. two":                "<p>1. one<br>2. two</p>",
		"The fee (**640.00**), monthly": "<p>The fee (<strong>640.00</strong>), monthly</p>",
		"5 ** 3 stays":                  "<p>5 ** 3 stays</p>",
		"#1 is no heading":              "<p>#1 is no heading</p>",
		"<script>alert(1)</script>":     "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
		"":                              "",
	} {
		got := strings.TrimSuffix(strings.TrimPrefix(shown(t, text), `<div class="prose">`), "</div>")
		got = regexp.MustCompile(`(<(?:p|br|ul|li|h2|h3)>)\s+|>\s+(<)`).ReplaceAllStringFunc(got, func(s string) string { return strings.ReplaceAll(s, " ", "") })
		if strings.TrimSpace(got) != want {
			t.Errorf("%q is shown as\n%s\nwant\n%s", text, got, want)
		}
	}
}

// TestProseKeepsEveryWord shows that nobody signs less, or more, than they read.
func TestProseKeepsEveryWord(t *testing.T) {
	tags := regexp.MustCompile(`<[^>]*>`)
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringMatching(`([-#* .\n]{0,3}[a-z0-9]{0,5}){0,30}`).Draw(r, "text")
		words := func(s string) string { return strings.Join(regexp.MustCompile(`[a-z0-9]+`).FindAllString(s, -1), "") }
		if got := words(tags.ReplaceAllString(shown(r, text), " ")); got != words(text) {
			r.Fatalf("%q is shown as %q", text, got)
		}
	})
}
