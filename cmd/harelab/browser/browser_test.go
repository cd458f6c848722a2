//go:build browser

package browser

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed check.js
var checks string

const (
	smallest      = 9   // px of the letters of a chart
	leastContrast = 4.5 // of text and its ground, as WCAG 2.2 asks at level AA
)

// A look is a way to look at a page.
type look struct {
	width int64 // of the window, px
	dark  bool
}

// looks are at a desk and on a phone, by day and by night.
var looks = []look{{1280, false}, {1280, true}, {390, false}, {390, true}}

func (l look) String() string {
	return fmt.Sprintf("%d-%s", l.width, l.scheme())
}

func (l look) scheme() string {
	if l.dark {
		return "dark"
	}
	return "light"
}

// fontFolders are the faces that a browser of these tests may have, and where Debian has
// them.
var fontFolders = map[string]string{
	"dejavu":     "/usr/share/fonts/truetype/dejavu",
	"liberation": "/usr/share/fonts/truetype/liberation",
}

// A tab is a page of a browser that has one family of fonts. Methods must be called by one
// goroutine.
type tab struct {
	ctx context.Context

	mu   sync.Mutex
	said []string // faults that the browser told by itself, since the last page
	at   string   // the page's own address
}

// newTab starts a browser that has one family of fonts, until the test ends. It skips
// the test if the fonts are not installed; without the browser the test fails.
func newTab(t *testing.T, fonts string) *tab {
	t.Helper()
	dir := fontFolders[fonts]
	if found, _ := filepath.Glob(filepath.Join(dir, "*.ttf")); len(found) == 0 {
		t.Skipf("no fonts in %s: install fonts-%s", dir, fonts)
	}
	conf := filepath.Join(t.TempDir(), "fonts.conf")
	text := fmt.Sprintf(`<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>%s</dir><cachedir>%s</cachedir><include ignore_missing="yes">/etc/fonts/conf.d</include></fontconfig>
`, dir, t.TempDir())
	if err := os.WriteFile(conf, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	options := []chromedp.ExecAllocatorOption{chromedp.Env("FONTCONFIG_FILE=" + conf)}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has no sandbox for root
	}
	tab := &tab{}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(options...), chromedp.WithListener(tab.hear))
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	tab.ctx = ctx
	return tab
}

// hear notes what no page may do: errors on the console, and requests to others.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.said = append(b.said, fmt.Sprint("console: ", e.ExceptionDetails.Text))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.said = append(b.said, fmt.Sprint("console: ", e.Type))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.said = append(b.said, "console: "+e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		if e.Request.URL != b.at && !strings.HasPrefix(e.Request.URL, "data:") {
			b.said = append(b.said, "request: "+e.Request.URL)
		}
	}
}

// open opens a page.
func (b *tab) open(t *testing.T, url string) {
	t.Helper()
	b.mu.Lock()
	b.said, b.at = nil, url
	b.mu.Unlock()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(url)); err != nil {
		t.Fatalf("%s: %v", url, err)
	}
}

// turn lets the browser show the page that is open in another way.
func (b *tab) turn(t *testing.T, l look) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme()}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(l.width, 900)); err != nil {
		t.Fatal(err)
	}
}

// faults returns what is wrong with the page that is open, and what the browser said
// since it was opened or since the last call. It unfolds whatever is folded.
func (b *tab) faults(t *testing.T) []string {
	t.Helper()
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](fmt.Sprintf("(%s)(%d, %g)", uncommented(checks), smallest, leastContrast)))
	if err != nil {
		t.Fatalf("%s: %v", b.at, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	found, b.said = append(found, b.said...), nil
	return found
}

// uncommented drops the lines of comment before a script, which would end a bracket.
func uncommented(script string) string {
	for strings.HasPrefix(script, "//") {
		_, script, _ = strings.Cut(script, "\n")
	}
	return script
}

// shoot writes a picture of the whole page that is open.
func (b *tab) shoot(t *testing.T, name string) {
	t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, png, 0o666); err != nil {
		t.Fatal(err)
	}
}

// harelab is the path of the command whose pages are looked at. It is built once.
var harelab string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "harelab-browser-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		harelab = filepath.Join(dir, "harelab")
		build := exec.Command("go", "build", "-o", harelab, "harelab/cmd/harelab")
		build.Stdout, build.Stderr = os.Stdout, os.Stderr
		if err := build.Run(); err != nil {
			return 1
		}
		return m.Run()
	}())
}
