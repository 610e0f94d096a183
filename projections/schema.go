package projections

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// table is a declared table that was checked, with its columns.
type table struct {
	Table
	*layout
	sums []int // the tables of sums over this one
}

// engineVersion is part of every build's name; it is raised when the engine itself stores something else, such as
// other history entries.
const engineVersion = 1

// compile checks the tables. Errors name the table.
func compile(declared []Table) ([]*table, error) {
	var tables []*table
	primary := map[string]string{}
	for _, d := range append(slices.Clone(declared), historyTable(), parkedTable()) {
		l, err := layoutOf(d.fold.rowType())
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", d.name, err)
		}
		t := &table{Table: d, layout: l}
		if err := t.valid(); err != nil {
			return nil, fmt.Errorf("table %s: %w", d.name, err)
		}
		if slices.ContainsFunc(tables, func(o *table) bool { return o.name == t.name }) || t.name == "checkpoint" {
			return nil, fmt.Errorf("table %s is there twice", t.name)
		}
		if t.primary {
			category := t.categories[0]
			if other := primary[category]; other != "" {
				return nil, fmt.Errorf("tables %s and %s are both primary for %s", other, t.name, category)
			}
			primary[category] = t.name
		}
		tables = append(tables, t)
	}
	return tables, link(tables)
}

func (t *table) valid() error {
	column := func(name string, k kind) bool { c := t.column(name); return c != nil && c.kind == k }
	switch {
	case !plainName(t.name):
		return fmt.Errorf("the name is small letters, digits and _")
	case t.engineOwn():
		return nil
	case !column("firm", idKind):
		return fmt.Errorf("it needs a column firm")
	case t.sum != nil:
		return t.summable()
	case !t.fold.complete():
		return fmt.Errorf("it needs either Fold or FoldAt")
	case len(t.categories) == 0:
		return fmt.Errorf("it folds no category")
	case t.primary && (len(t.categories) != 1 || t.keys != nil || t.keyLen != 1):
		return fmt.Errorf("a primary table folds one category and is keyed by the stream's id")
	case (t.access == OfAccount || t.access == OfRecipients) && !column("account", idKind):
		return fmt.Errorf("clients read it, so it needs a column account")
	case t.access == OfRecipients && !column("recipients", idsKind):
		return fmt.Errorf("it is for recipients, so it needs a column recipients of ids")
	case t.access == OfAccounts && !column("accounts", idsKind):
		return fmt.Errorf("clients of several accounts read it, so it needs a column accounts of ids")
	case t.access == StaffOnly && t.where != "":
		return fmt.Errorf("a condition for clients is of no use on a table for staff only")
	}
	for _, c := range t.columns {
		switch c.mark {
		case "", "-", "label":
		case "money":
			if t.currency < 0 {
				return fmt.Errorf("column %s is money, so the row needs a column currency", c.name)
			}
		default:
			return fmt.Errorf("column %s: history knows label, money and -, not %q", c.name, c.mark)
		}
	}
	return nil
}

// engineOwn tells history and parked, which the engine fills itself.
func (t *table) engineOwn() bool { return t.appendOnly || t.name == parkedName }

// create is the table without what slows down loading.
func (t *table) create(schema string) string {
	var lines []string
	for _, c := range t.columns {
		line := c.name + " " + sqlTypes[c.kind]
		if !c.null {
			line += " not null"
		}
		lines = append(lines, line)
	}
	lines = append(lines, t.extra...)
	if !t.appendOnly {
		lines = append(lines, t.primaryKey())
	}
	return fmt.Sprintf("create table %s.%s (\n\t%s\n)", schema, t.name, strings.Join(lines, ",\n\t"))
}

func (t *table) primaryKey() string {
	return fmt.Sprintf("constraint %s_pkey primary key (%s)", t.name, names(t.columns[:t.keyLen]))
}

// index is what is built when the rows are there.
func (t *table) index(schema string) []string {
	var list []string
	if t.appendOnly {
		list = append(list, fmt.Sprintf("alter table %s.%s add %s", schema, t.name, t.primaryKey()))
	}
	for i, index := range t.indexes {
		unique := ""
		if rest, is := strings.CutPrefix(index, "unique "); is {
			unique, index = "unique ", rest
		}
		list = append(list, fmt.Sprintf("create %sindex %s_%d on %s.%s %s", unique, t.name, i+1, schema, t.name, index))
	}
	return list
}

// Each setting is read in a subquery of its own: Postgres then reads it once per statement, not once per row.
var (
	firmMatches    = "firm = " + setting("app.firm", "uuid")
	accountMatches = "account = any(" + setting("app.accounts", "uuid[]") + ")"
	accountsMatch  = "accounts && " + setting("app.accounts", "uuid[]")
	// app.contact is the contact's id, or an array of it and of the duplicates that were merged into it.
	recipientMatches = "(recipients = '{}' or recipients && (select ('{' || trim(both '{}' from coalesce(current_setting('app.contact', true), '')) || '}')::uuid[]))"
)

// setting is a setting of the transaction as a value of a type; NULL when it is not set.
func setting(name, typ string) string {
	return "(select nullif(current_setting(" + quote(name) + ", true), '')::" + typ + ")::" + typ
}

// protect lets each role see what is its own. Settings are read in the policies themselves: wrapped in an immutable
// function, a cached plan would keep the answer for the next caller.
func (t *table) protect(schema string) []string {
	list := protect(schema, t.name)
	on := schema + "." + t.name
	if t.firm < 0 {
		return list
	}
	list = append(
		list,
		"grant select on "+on+" to atrium_staff",
		"create policy staff on "+on+" for select to atrium_staff using ("+firmMatches+")",
	)
	if t.access == StaffOnly {
		return list
	}
	granted := t.granted()
	columns := ""
	if len(granted) < len(t.columns) {
		columns = " (" + names(granted) + ")"
	}
	return append(
		list,
		"grant select"+columns+" on "+on+" to atrium_client",
		"create policy client on "+on+" for select to atrium_client using ("+t.visible()+")",
	)
}

// visible is the condition that clients see a row.
func (t *table) visible() string {
	visible := firmMatches
	switch t.access {
	case OfAccount:
		visible += " and " + accountMatches
	case OfRecipients:
		visible += " and " + accountMatches + " and " + recipientMatches
	case OfAccounts:
		visible += " and " + accountsMatch
	case StaffOnly, OfFirm:
	}
	if t.where != "" {
		visible += " and (" + t.where + ")"
	}
	return visible
}

// granted are the columns that clients may read.
func (t *table) granted() []column {
	return slices.DeleteFunc(slices.Clone(t.columns), func(c column) bool { return slices.Contains(t.hidden, c.name) })
}

// protect closes a table to all but the roles that write it.
func protect(schema, name string) []string {
	on := schema + "." + name
	return []string{
		"alter table " + on + " enable row level security",
		"alter table " + on + " force row level security",
		"grant select, insert, update, delete on " + on + " to atrium_projector",
		"create policy projector on " + on + " to atrium_projector, current_user using (true) with check (true)",
	}
}

const checkpointColumns = `only_row boolean primary key default true check (only_row),
	build text not null,
	fence uuid not null default gen_random_uuid(),
	commit_position bigint not null default 0,
	prepare_position bigint not null default 0,
	events bigint not null default 0,
	loading boolean not null,
	updated_at timestamptz not null default now()`

// createStatements makes a schema in the loading state: no indexes, nobody but the owner may look.
func createStatements(schema, build string, tables []*table) []string {
	list := []string{
		"create schema " + schema,
		"create table " + schema + ".checkpoint (\n\t" + checkpointColumns + "\n)",
		"insert into " + schema + ".checkpoint (build, loading) values (" + quote(build) + ", true)",
	}
	for _, t := range tables {
		list = append(list, t.create(schema))
	}
	return list
}

// indexStatements and protectStatements turn a loaded schema into one that can serve.
func indexStatements(schema string, tables []*table) []string {
	var list []string
	for _, t := range tables {
		list = append(list, t.index(schema)...)
	}
	return list
}

func protectStatements(schema string, tables []*table) []string {
	list := []string{
		"set local search_path = " + schema, // conditions for clients name other tables of the same build
		"update " + schema + ".checkpoint set loading = false",
		"grant usage on schema " + schema + " to atrium_projector, atrium_staff, atrium_client",
		"grant select on " + schema + ".checkpoint to atrium_staff, atrium_client",
	}
	list = append(list, protect(schema, "checkpoint")...)
	list = append(list, "create policy readers on "+schema+".checkpoint for select to atrium_staff, atrium_client using (true)")
	for _, t := range tables {
		list = append(list, t.protect(schema)...)
	}
	return list
}

// DDL is the schema that the tables make, as SQL, for reading.
func DDL(declared []Table, schema string) (string, error) {
	tables, err := compile(declared)
	if err != nil {
		return "", err
	}
	var list []string
	list = append(list, createStatements(schema, buildName(tables), tables)...)
	list = append(list, indexStatements(schema, tables)...)
	list = append(list, protectStatements(schema, tables)...)
	return strings.Join(list, ";\n\n") + ";\n", nil
}

// buildName names what the tables make of events: a hash over definitions, versions and row types.
func buildName(tables []*table) string {
	h := sha256.New()
	fmt.Fprintln(h, "engine", engineVersion)
	for _, s := range slices.Concat(createStatements("s", "", tables), indexStatements("s", tables), protectStatements("s", tables)) {
		fmt.Fprintln(h, s)
	}
	for _, t := range tables {
		fmt.Fprintln(h, t.name, t.version, t.categories, t.primary, t.sums)
		describe(h, t.typ, nil)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// describe writes what a type is made of, so that a change in a nested struct is seen too.
func describe(w io.Writer, t reflect.Type, within []reflect.Type) {
	if k, ok := kindOf(t); ok && (k == idKind || k == dateKind || k == instantKind) {
		fmt.Fprint(w, sqlTypes[k], " ")
		return
	}
	fmt.Fprint(w, t.Kind(), " ")
	if slices.Contains(within, t) {
		return
	}
	within = append(within, t)
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprint(w, f.Tag, " ")
			describe(w, f.Type, within)
		}
	case reflect.Map:
		describe(w, t.Key(), within)
		describe(w, t.Elem(), within)
	case reflect.Slice, reflect.Array, reflect.Pointer:
		describe(w, t.Elem(), within)
	default:
	}
}
