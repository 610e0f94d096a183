package storybook_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/readapi/portal/portaltest"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
	"github.com/atrium-portal/atrium/readapi/portal/ui/storybook"
)

// serve serves the storybook with its files and gives its address.
func serve(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/assets/", ui.Static())
	mux.Handle(storybook.Path, storybook.Handler())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + storybook.Path
}

// names are the pages of the storybook and its list.
func names() []string {
	names := []string{""}
	for _, p := range storybook.Pages() {
		names = append(names, p.Name)
	}
	return names
}

// TestPagesHaveNoBarriers looks at every page on a desk and on a phone, in light and dark.
func TestPagesHaveNoBarriers(t *testing.T) {
	address := serve(t)
	browser := portaltest.Start(t)
	for _, name := range names() {
		t.Run("page "+name, func(t *testing.T) {
			tab := browser.Tab(t)
			tab.Open(address + name)
			portaltest.Check(tab, "on a desk")
			tab.Dark(true)
			portaltest.CheckColors(tab, "dark")
			tab.Dark(false)
			tab.Size(360, 740)
			tab.Open(address + name)
			portaltest.Check(tab, "on a phone")
		})
	}
}

// TestPictures writes a picture of every page into the folder that ATRIUM_SHOTS names; without it there is nothing to
// do. ATRIUM_PAGES chooses pages.
func TestPictures(t *testing.T) {
	folder := os.Getenv("ATRIUM_SHOTS")
	if folder == "" {
		return
	}
	wanted := strings.Fields(os.Getenv("ATRIUM_PAGES"))
	address := serve(t)
	tab := portaltest.Start(t).Tab(t)
	for _, name := range names() {
		if len(wanted) > 0 && !slices.Contains(wanted, name) {
			continue
		}
		for _, dark := range []bool{false, true} {
			tab.Dark(dark)
			for _, width := range []int64{360, 768, 1280} {
				tab.Size(width, 800)
				tab.Open(address + name + os.Getenv("ATRIUM_QUERY"))
				scheme := map[bool]string{false: "light", true: "dark"}[dark]
				tab.Shot(filepath.Join(folder, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)))
			}
		}
	}
}
