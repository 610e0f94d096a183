package portal

import (
	"context"
	"io"
	"strings"

	"github.com/a-h/templ"
)

// block is a part of a text that was written as Markdown: a heading, a paragraph, or a list.
type block struct {
	kind  blockKind
	level int      // of a heading, from 1
	lines [][]span // a heading has one, a list one for each item
}

type blockKind int

const (
	paragraph blockKind = iota
	heading
	bulletList
	numberList
)

// span is a piece of a line.
type span struct {
	text string
	bold bool
}

// prose reads the little of Markdown that contracts are written in: headings, paragraphs, lists and bold words. All
// else stays as it was written: no word of the text is left out or added.
func prose(text string) (blocks []block) {
	open := false // the last block takes further lines
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		content, kind, level := blockOf(strings.TrimSpace(line))
		last := len(blocks) - 1
		switch {
		case content == "":
			open = false
		case open && kind == blocks[last].kind && kind != heading:
			blocks[last].lines = append(blocks[last].lines, spans(content))
		case open && kind == paragraph && blocks[last].kind != heading && strings.HasPrefix(line, " "): // an item goes on
			item := len(blocks[last].lines) - 1
			blocks[last].lines[item] = append(blocks[last].lines[item], spans(" "+content)...)
		default:
			blocks = append(blocks, block{kind, level, [][]span{spans(content)}})
			open = kind != heading
		}
	}
	return blocks
}

// blockOf tells what a line begins. The number of a list's item stays in its text: references name it.
func blockOf(line string) (content string, kind blockKind, level int) {
	if rest := strings.TrimLeft(line, "#"); rest != line && strings.HasPrefix(rest, " ") {
		return strings.TrimSpace(rest), heading, min(len(line)-len(rest), 3)
	}
	for _, bullet := range []string{"- ", "* ", "• "} {
		if rest, ok := strings.CutPrefix(line, bullet); ok {
			return strings.TrimSpace(rest), bulletList, 0
		}
	}
	if digits := strings.TrimLeft(line, "0123456789"); len(line)-len(digits) > 0 && len(line)-len(digits) < 4 && strings.HasPrefix(digits, ". ") {
		return line, numberList, 0
	}
	return line, paragraph, 0
}

// spans finds the bold words of a line.
func spans(line string) []span {
	parts := strings.Split(line, "**")
	if len(parts)%2 == 0 { // one mark without its other
		return []span{{text: line}}
	}
	var list []span
	for i, part := range parts {
		if part != "" {
			list = append(list, span{part, i%2 == 1})
		}
	}
	return list
}

// proseSpans writes a line without a space more than it has.
func proseSpans(list []span) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		for _, s := range list {
			if s.bold {
				b.WriteString("<strong>" + templ.EscapeString(s.text) + "</strong>")
			} else {
				b.WriteString(templ.EscapeString(s.text))
			}
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
}
