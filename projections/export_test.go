package projections

import (
	"slices"
	"strings"
)

// BoundToToday tells whether the past of a table shows clients only what is for them today: rows that belong to a record
// for certain recipients ask for that record.
func BoundToToday(t Table, all []Table) bool {
	ofRecipients := slices.ContainsFunc(all, func(o Table) bool {
		return o.primary && o.access == OfRecipients && slices.ContainsFunc(t.categories, func(c string) bool { return slices.Contains(o.categories, c) })
	})
	return !ofRecipients || t.access == StaffOnly || t.primary || t.access == OfRecipients || strings.Contains(t.where, "exists (select from ")
}
