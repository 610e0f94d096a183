package portaltest_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/readapi/portal/portaltest"
)

func TestZZStaffShots(t *testing.T) {
	base, token := os.Getenv("SHOT_BASE"), os.Getenv("SHOT_TOKEN")
	b := portaltest.Start(t)
	tab := b.Tab(t)
	tab.Headers(map[string]any{"Authorization": "Bearer " + token})
	find := func(page, pattern string) string {
		tab.Open(base + page)
		m := regexp.MustCompile(pattern).FindString(portaltest.Eval[string](tab, "document.body.innerHTML"))
		return strings.ReplaceAll(m, "&amp;", "&")
	}
	client := find("/staff/clients", `/staff/clients/[0-9a-f-]{36}`)
	contact := find(client, `/staff/contacts/[0-9a-f-]{36}`)
	invoice := find("/staff/invoices?status=overdue", `/staff/invoices/[0-9a-f-]{36}`)
	project := find("/staff/projects/list", `/staff/projects/[0-9a-f-]{36}`)
	contract := find("/staff/contracts?status=sent", `/staff/contracts/[0-9a-f-]{36}`)
	account := strings.TrimPrefix(client, "/staff/clients/")
	pages := map[string]string{
		"home": "/staff", "clients": "/staff/clients", "client": client, "client-contacts": client + "/contacts", "client-new": "/staff/clients/new", "client-edit": client + "/edit",
		"client-history": client + "/history", "modules": client + "/modules",
		"contact": contact, "access": contact + "/access", "merge": contact + "/merge", "freeze": contact + "/freeze",
		"invoices": "/staff/invoices", "invoice": invoice, "editor": "/staff/invoices/new?account=" + account, "choose": "/staff/invoices/new", "payment": invoice + "/payment",
		"board": "/staff/projects", "projects": "/staff/projects/list", "project": project, "stage": project + "/stage", "health": project + "/health", "team": project + "/team",
		"contracts": "/staff/contracts", "contract": contract, "draft": "/staff/contracts/new?account=" + account,
		"history": "/staff/history", "search": "/staff/search?q=an", "operations": "/staff/operations", "settings": "/staff/settings", "staff": "/staff/settings/staff", "lost": "/staff/nowhere",
	}
	only := os.Getenv("SHOT_ONLY")
	for name, path := range pages {
		if only != "" && !regexp.MustCompile("^("+only+")$").MatchString(name) {
			continue
		}
		if name == "lost" { tab.Expect("404") }
		for _, size := range []struct{ name string; w, h int64; dark bool }{{"1280", 1280, 800, false}, {"1280d", 1280, 800, true}, {"360", 360, 740, false}, {"360d", 360, 740, true}} {
			if s := os.Getenv("SHOT_SIZES"); s != "" && !strings.Contains(","+s+",", ","+size.name+",") { continue }
			tab.Size(size.w, size.h)
			tab.Dark(size.dark)
			tab.Open(base + path)
			tab.Shot("/tmp/atrium/staffshots/" + name + "-" + size.name + ".png")
			if os.Getenv("SHOT_CHECK") != "" { portaltest.CheckLook(tab, name+" "+size.name) }
		}
	}
}
