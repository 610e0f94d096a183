package portaltest

import (
	"slices"
	"strings"
	"sync"
)

// problems are what the console of a page said as an error.
type problems struct {
	mu       sync.Mutex
	said     []string
	expected []string
}

func (p *problems) add(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, strings.TrimSpace(text))
}

// all are the errors that nobody expects.
func (p *problems) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.said), func(text string) bool {
		return slices.ContainsFunc(p.expected, func(part string) bool { return strings.Contains(text, part) })
	})
}

// Expect says that the console may hold an error with a text, such as "404" on a page that shows it.
func (p *Tab) Expect(text string) {
	p.problems.mu.Lock()
	defer p.problems.mu.Unlock()
	p.problems.expected = append(p.problems.expected, text)
}
