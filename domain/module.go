package domain

import (
	"slices"
	"strings"
)

// Module is a part of the portal that a firm may switch off, for all of its clients or for one. What is off is not
// there for contacts, whatever their permissions; staff keep it, and nothing is deleted.
type Module string

// The modules that can be switched off.
const (
	Projects  Module = "projects"
	Invoices  Module = "invoices" // with payments and the statement
	Contracts Module = "contracts"
)

// Modules lists every module, in the order in which people choose them.
func Modules() []Module { return []Module{Projects, Invoices, Contracts} }

// Modules checks a list of modules.
func (c *Checks) Modules(list []Module, field string) {
	for _, m := range list {
		names := make([]string, 0, len(Modules()))
		for _, known := range Modules() {
			names = append(names, string(known))
		}
		c.That(slices.Contains(Modules(), m), field, "module-unknown", "Give modules of "+strings.Join(names, ", ")+".")
	}
}

// TidyModules is a sorted copy with each module once; nil when there are none.
func TidyModules(list []Module) []Module {
	if len(list) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(list))
	return slices.Compact(sorted)
}
