package ui

import (
	"strconv"
	"strings"
)

// slug makes an id of a heading: "Recent activity" gives "recent-activity".
func slug(title string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "-")
}

// counted says how many there are: "1 invoice", "3 invoices".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// contrastText says how well a colour can be read on white, and what is done about it where it cannot.
func contrastText(hex string) string {
	tenths := int(Contrast(hex, "#ffffff") * 10)
	ratio := strconv.Itoa(tenths/10) + "." + strconv.Itoa(tenths%10)
	if tenths >= 45 {
		return "Contrast with white " + ratio + " : 1. Good for text."
	}
	return "Contrast with white " + ratio + " : 1. Text in this colour is shown in a darker shade."
}
