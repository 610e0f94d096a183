// Package portaltest is the test kit for pages: a real browser without a window, and checks for accessibility.
//
// It is the only package that imports chromedp, so that a change of its API stays in one place. The browser reaches
// this machine only: a page that asks another host for anything fails. Chromium and axe-core are installed by
// .ci/install-chromium and .ci/install-npm-packages, which `make test` runs.
package portaltest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience bounds every single step in a page.
const patience = 30 * time.Second

// Browser is a running Chromium.
type Browser struct {
	t    testing.TB
	root context.Context
}

// Start starts Chromium for a test and ends it afterwards. It fails the test when there is none. Starting takes a
// second: tests of many pages share one browser through subtests.
func Start(t testing.TB) *Browser {
	t.Helper()
	program := chromium()
	if program == "" {
		t.Fatal("Chromium is missing: run the tests through `make test`, which installs it.")
	}
	alloc, stop := chromedp.NewExecAllocator(
		context.Background(),
		chromedp.ExecPath(program), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("lang", "en-GB"), chromedp.Flag("accept-lang", "en-GB"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost"),
	)
	t.Cleanup(stop)
	root, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	if err := chromedp.Do(root); err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	return &Browser{t, root}
}

// chromium is the program's path; empty when there is none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chromium-headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// tool is the path of a file that was installed into .tools at the root of the module.
func tool(t testing.TB, name, install string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("Run the tests inside the module.")
		}
		dir = parent
	}
	path := filepath.Join(dir, ".tools", name)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		t.Fatalf("%s is missing: run the tests through `make test`, which installs it (%s).", name, install)
	}
	return path
}
