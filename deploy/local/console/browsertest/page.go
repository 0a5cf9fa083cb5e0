package browsertest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// Page is one tab. What goes wrong in it (an exception nobody caught, a breach of the page's policy) fails the test at its end.
type Page struct {
	t       testing.TB
	b       *Browser
	session string

	mu    sync.Mutex
	wrong []string
}

// Open opens a tab of 1280 x 900 with a storage of its own, which the end of t closes, and loads a page in it.
func (b *Browser) Open(t testing.TB, url string) *Page {
	t.Helper()
	p := &Page{t: t, b: b}
	var context struct{ BrowserContextID string }
	p.must(b.call("", "Target.createBrowserContext", map[string]any{}, &context))
	var target struct{ TargetID string }
	p.must(b.call("", "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": context.BrowserContextID}, &target))
	var attached struct{ SessionID string }
	p.must(b.call("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached))
	p.session = attached.SessionID
	b.mu.Lock()
	b.pages[p.session] = p
	b.mu.Unlock()
	for _, domain := range []string{"Runtime", "Log", "Page"} {
		p.do(domain+".enable", nil, nil)
	}
	p.do("Emulation.setFocusEmulationEnabled", map[string]any{"enabled": true}, nil) // several tabs may be in use at once
	t.Cleanup(func() {
		if t.Failed() {
			text := p.Text()
			t.Logf("the page at the end:\n%s", text[max(0, len(text)-8000):])
		}
		_ = b.call("", "Target.disposeBrowserContext", map[string]any{"browserContextId": context.BrowserContextID}, nil)
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, w := range p.wrong {
			t.Errorf("the page: %s", w)
		}
	})
	p.Size(1280, 900)
	p.Go(url)
	return p
}

func (p *Page) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *Page) do(method string, params, out any) {
	p.t.Helper()
	p.must(p.b.call(p.session, method, params, out))
}

// happened notes what must not happen in a page.
func (p *Page) happened(m message) {
	var what struct {
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
		Entry struct{ Source, Level, Text, URL string }
	}
	if json.Unmarshal(m.Params, &what) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case m.Method == "Runtime.exceptionThrown":
		p.wrong = append(p.wrong, what.ExceptionDetails.Text+" "+what.ExceptionDetails.Exception.Description)
	case m.Method == "Log.entryAdded" && what.Entry.Level == "error" && what.Entry.Source != "network":
		p.wrong = append(p.wrong, what.Entry.Source+": "+what.Entry.Text)
	}
}

// Go loads a page and waits until it is there.
func (p *Page) Go(url string) {
	p.t.Helper()
	var got struct{ ErrorText string }
	p.do("Page.navigate", map[string]any{"url": url}, &got)
	if got.ErrorText != "" {
		p.t.Fatalf("%s: %s", url, got.ErrorText)
	}
	p.Until(url+" has loaded", `document.readyState === 'complete' && location.href !== 'about:blank'`)
}

// Size makes the window so large, in CSS pixels.
func (p *Page) Size(width, height int) {
	p.t.Helper()
	p.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
}

// Prefer sets a media feature: Prefer("prefers-color-scheme", "dark").
func (p *Page) Prefer(feature, value string) {
	p.t.Helper()
	p.do("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": feature, "value": value}}}, nil)
}

// eval evaluates an expression, or a promise of one, and decodes its value into out.
func (p *Page) eval(js string, out any) error {
	var got struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	params := map[string]any{"expression": js, "awaitPromise": true, "returnByValue": true}
	if err := p.b.call(p.session, "Runtime.evaluate", params, &got); err != nil {
		return err
	}
	if e := got.ExceptionDetails; e != nil {
		return fmt.Errorf("%s: %s %s", js, e.Text, e.Exception.Description)
	}
	if out == nil || len(got.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(got.Result.Value, out)
}

// Eval evaluates an expression and decodes its value into out, nil for none.
func (p *Page) Eval(js string, out any) {
	p.t.Helper()
	p.must(p.eval(js, out))
}

// Text is what can be read on the page.
func (p *Page) Text() string {
	var s string
	_ = p.eval(`document.body.innerText`, &s) // the page may be gone
	return s
}

// Until waits for an expression to be true; what says in words what is waited for.
func (p *Page) Until(what, js string) {
	p.t.Helper()
	var ok bool
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = p.eval("Boolean("+js+")", &ok); ok && err == nil {
			return
		}
	}
	p.t.Fatalf("waited %s in vain for: %s (%v)", patience, what, err)
}

// Sees waits for a text to be readable on the page.
func (p *Page) Sees(text string) {
	p.t.Helper()
	p.Until("the text "+text, fmt.Sprintf("document.body.innerText.includes(%s)", Quote(text)))
}

// Quote is a JavaScript string.
func Quote(s string) string {
	b, _ := json.Marshal(s) // a string always encodes
	return string(b)
}

// Click presses the mouse on an element, given by an expression, as soon as it can be reached: it is there, enabled and at rest, and nothing
// covers it. Like a person it presses again where the element went away in that very moment.
func (p *Page) Click(what, js string) {
	p.t.Helper()
	for range 3 {
		if p.press(what, js); p.arrived() {
			return
		}
		p.t.Logf("the press of %s did not reach it", what)
	}
	p.t.Fatalf("%s cannot be pressed", what)
}

// Hold presses the mouse on an element and keeps it down until the function that it returns is called.
func (p *Page) Hold(what, js string) (release func()) {
	p.t.Helper()
	at := p.point(what, js)
	p.mouse("mousePressed", at)
	return func() { p.mouse("mouseReleased", at) }
}

func (p *Page) press(what, js string) {
	p.t.Helper()
	at := p.point(what, js)
	p.Eval(`void ((el) => {
		window.arrived = false;
		addEventListener('click', (e) => { window.arrived ||= e.composedPath().includes(el); }, { capture: true, once: true });
	})(`+js+`)`, nil)
	p.mouse("mousePressed", at)
	p.mouse("mouseReleased", at)
}

// arrived reports whether the press became a click of its element. A page that is left by it is gone, and its note with it.
func (p *Page) arrived() bool {
	missed := false
	_ = p.eval(`window.arrived === false`, &missed)
	return !missed
}

// Point moves the mouse over an element, as Click does before it presses.
func (p *Page) Point(what, js string) {
	p.t.Helper()
	p.point(what, js)
}

func (p *Page) point(what, js string) spot {
	p.t.Helper()
	why := "it was not looked for"
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var at, again spot
		if at, why = p.find(js); why != "" {
			continue
		}
		p.mouse("mouseMoved", at)
		if again, why = p.find(js); why == "" && again == at {
			return at
		} // it went away from under the mouse
	}
	p.t.Fatalf("waited %s in vain to get the mouse to %s: %s", patience, what, why)
	return spot{}
}

// spot is a point of the window, in CSS pixels.
type spot struct{ X, Y float64 }

// find returns the middle of an element, or why the mouse cannot get there.
func (p *Page) find(js string) (at spot, why string) {
	var got struct {
		spot
		Why string
	}
	err := p.eval(`(async () => { const el = `+js+`;
		if (!el) return { Why: 'it is not there' };
		if (el.disabled) return { Why: 'it is disabled' };
		el.scrollIntoView({ block: 'nearest' });
		const before = el.getBoundingClientRect();
		await `+settled+`;
		const r = el.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2, top = document.elementFromPoint(x, y);
		if (r.x !== before.x || r.y !== before.y) return { Why: 'it moves' };
		if (!el.contains(top)) return { Why: 'it is covered by ' + (top ? top.outerHTML.slice(0, 200) : 'nothing: it is out of sight') };
		return { X: x, Y: y, Why: '' };
	})()`, &got)
	if err != nil {
		return at, err.Error()
	}
	return got.spot, got.Why
}

func (p *Page) mouse(kind string, at spot) {
	p.t.Helper()
	params := map[string]any{"type": kind, "x": at.X, "y": at.Y}
	if kind != "mouseMoved" {
		params["button"], params["clickCount"] = "left", 1
	}
	p.do("Input.dispatchMouseEvent", params, nil)
}

// settled is a promise of the moment when what is now in the page is drawn.
const settled = `new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(r))))`

// Type types text into what has the focus.
func (p *Page) Type(text string) {
	p.t.Helper()
	p.do("Input.insertText", map[string]any{"text": text}, nil)
}

// Key presses one key: Enter, Tab, Escape, ArrowUp, ArrowDown, Space.
func (p *Page) Key(key string) {
	p.t.Helper()
	codes := map[string]int{"Enter": 13, "Tab": 9, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40, "Space": 32}
	params := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
	switch key {
	case "Enter":
		params["text"] = "\r"
	case "Space":
		params["key"], params["text"] = " ", " "
	}
	p.do("Input.dispatchKeyEvent", params, nil)
	delete(params, "text")
	params["type"] = "keyUp"
	p.do("Input.dispatchKeyEvent", params, nil)
}

// Picture returns what the window shows, as PNG.
func (p *Page) Picture() []byte {
	p.t.Helper()
	p.Eval(settled, nil)
	var got struct{ Data string }
	p.do("Page.captureScreenshot", map[string]any{"format": "png"}, &got)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(got.Data))
	p.must(err)
	return raw
}
