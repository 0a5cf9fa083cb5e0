package console

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/deploy/local/console/browsertest"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// place is a stand-in for the local command's chat API: one channel on each platform, in which a test puts messages by hand.
type place struct {
	t    *testing.T
	live bool // real drills: no platform is played

	mu       sync.Mutex
	messages []rooms.Message
	answer   rooms.Heard
	refuse   string // the error that what is typed is answered with
	looked   int    // how often the messages were asked for
	said     []rooms.Saying
	pressed  []rooms.Pressing
}

const drillsChannel = "slack:T0DRILL/C0DRILLS"

func (p *place) serve() string {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/rooms", func(w http.ResponseWriter, _ *http.Request) {
		all, played := []map[string]any{}, []string{"slack", "feishu", "dingtalk", "wecom"}
		if p.live {
			played = nil
		}
		for _, platform := range played {
			var people []rooms.Person
			for _, who := range [][2]string{{"alice", "operator"}, {"bob", "approver"}, {"carol", "viewer"}, {"mallory", "stranger"}} {
				people = append(people, rooms.Person{ID: "U" + who[0], Name: who[0], Role: who[1], Who: platform + ":T0DRILL/U" + who[0]})
			}
			all = append(all, map[string]any{"platform": platform, "people": people, "channels": []rooms.Channel{{Address: drillsChannel, Name: "#drills"}}})
		}
		p.give(w, all)
	})
	mux.HandleFunc("GET /api/rooms/{platform}", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.looked++
		seen := []rooms.Message{}
		for _, m := range p.messages {
			if m.Private == "" || m.Private == r.URL.Query().Get("person") {
				seen = append(seen, m)
			}
		}
		p.give(w, seen)
	})
	mux.HandleFunc("POST /api/rooms/{platform}/say", func(w http.ResponseWriter, r *http.Request) { hear(p, w, r, &p.said) })
	mux.HandleFunc("POST /api/rooms/{platform}/press", func(w http.ResponseWriter, r *http.Request) { hear(p, w, r, &p.pressed) })
	mux.HandleFunc("GET /api/stream", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/event-stream") })
	mode := "SANDBOX"
	if p.live {
		mode = "LIVE"
	}
	mux.Handle("GET /", Handler(mode))
	server := httptest.NewServer(mux)
	p.t.Cleanup(server.Close)
	return server.URL
}

func (p *place) give(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.t.Error(err)
	}
}

// hear records what a person did, and answers it.
func hear[T any](p *place, w http.ResponseWriter, r *http.Request, into *[]T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var what T
	if err := json.NewDecoder(r.Body).Decode(&what); err != nil {
		p.t.Error(err)
	}
	if p.refuse != "" {
		w.WriteHeader(http.StatusBadRequest)
		p.give(w, map[string]string{"error": p.refuse})
		return
	}
	*into = append(*into, what)
	p.give(w, p.answer)
}

// now changes what is in the channel.
func (p *place) now(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func bot(id, thread, text string, buttons ...rooms.Button) rooms.Message {
	return rooms.Message{ID: id, Thread: thread, From: "Firedrill", Bot: true, Text: text, Buttons: buttons, At: time.Now()}
}

var (
	approve = rooms.Button{Label: "Approve", Style: "primary"}
	stop    = rooms.Button{Label: "Stop", Style: "danger"}
)

// drilling is a channel in which a drill waits for approval, and an older one is over.
func drilling() []rooms.Message {
	facts := "1. Stop requested: 2026-11-28 10:00:00 +00:00 by slack:T0DRILL/UALICE\n   Reason: enough\n2. Stopped at the service: 2026-11-28 10:00:05 +00:00\n   Evidence: experiment is stopped\n3. Restored: not confirmed"
	return []rooms.Message{
		bot("1", "", "[SANDBOX] Stopped at the service: An old drill\nAsked for by slack:T0DRILL/UALICE at 2026-11-28 09:59:00 +00:00.\n"+facts),
		bot("2", "1", "[SANDBOX] Started: An old drill\nThe service runs it."),
		{ID: "3", From: "bob", Text: "morning <b>all</b>, see https://example.com/a?b=1.", At: time.Now().Add(-time.Hour)},
		bot("4", "", "[SANDBOX] Waiting for a person: Checkout survives <script>alert(1)</script> 🛒\nNeeds approval before the start: production\nDrill  k7m2drill0001 (checkout)", approve, stop, rooms.Button{Label: "Report", URL: "http://127.0.0.1:1/r/k7m2"}, rooms.Button{Label: "Bad", URL: "javascript:alert(1)"}),
		{ID: "5", Thread: "4", From: "Firedrill", Bot: true, Urgent: true, Text: "🚨 [SANDBOX] ESCALATION 1: Checkout", At: time.Now()},
	}
}

const (
	box  = `document.querySelector('#say')`
	list = `document.querySelector('.messages')`
)

// pressable is the button with that label.
func pressable(label string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('.messages button.press')].find((b) => b.textContent === %s)`, browsertest.Quote(label))
}

func persona(name string) string {
	return fmt.Sprintf(`document.querySelector('input[data-person=%s]').parentElement`, name)
}

func TestChat_inABrowser(t *testing.T) {
	b := browsertest.Start(t)
	for name, test := range map[string]func(*testing.T, *browsertest.Browser){
		"an empty channel teaches":                      emptyChannel,
		"real drills":                                   realDrills,
		"a platform that is not played":                 unknownPlatform,
		"text stays text, and only pages are links":     textIsText,
		"cards of all platforms":                        cards,
		"what is typed is sent, with what was answered": typing,
		"what cannot be sent comes back":                notSent,
		"arrow-up brings back what was typed":           history,
		"a press, and the message that changes":         pressing,
		"nothing moves away under the mouse":            aiming,
		"a button that is held down stays":              holding,
		"what is read out":                              readOut,
		"in a thread":                                   inThread,
		"to one person alone":                           privately,
		"on a phone":                                    onPhone,
		"with the keyboard alone":                       keyboard,
	} {
		t.Run(name, func(t *testing.T) { test(t, b) })
	}
}

func emptyChannel(t *testing.T, b *browsertest.Browser) {
	page := b.Open(t, (&place{t: t}).serve()+"/chat")
	page.Sees("This is a stand-in for Slack. What you type goes to Firedrill exactly as Slack would send it, signed.")
	page.Sees("Three first steps")
	page.Until("the first platform is current", `document.querySelector('.platforms [aria-current=page]').textContent === 'Slack'`)
	page.Until("alice looks", `document.querySelector('.people :checked').dataset.person === 'alice'`)
	page.Click("a suggestion", `document.querySelector('.chip')`)
	page.Until("it is in the box, which has the focus", box+`.value === '/drill list' && document.activeElement === `+box)
	page.Click("Feishu", `document.querySelector('.platforms a[data-platform=feishu]')`)
	page.Sees("exactly as Feishu would send it, signed and encrypted.")
}

func unknownPlatform(t *testing.T, b *browsertest.Browser) {
	page := b.Open(t, (&place{t: t}).serve()+"/chat/icq")
	page.Sees("This sandbox plays no platform icq. It plays Slack, Feishu, DingTalk, WeCom.")
}

func realDrills(t *testing.T, b *browsertest.Browser) {
	page := b.Open(t, (&place{t: t, live: true}).serve()+"/chat")
	page.Sees("With --live there is no stand-in: type in your real chat.")
	page.Until("nothing leads there", `!document.querySelector('.pages a[href="/chat"]').checkVisibility()`)
}

func textIsText(t *testing.T, b *browsertest.Browser) {
	page := b.Open(t, (&place{t: t, messages: drilling()}).serve()+"/chat/slack")
	page.Sees("Checkout survives <script>alert(1)</script> 🛒")
	page.Sees("morning <b>all</b>")
	page.Until("the mode and the state are marked", list+`.querySelector('.mode-mark').textContent === 'SANDBOX' && `+list+`.querySelector('.pill.wait').textContent === 'Waiting for a person'`)
	page.Until("nothing became markup", `!document.querySelector('.messages script, .messages b')`)
	var links []string
	page.Eval(`[...document.querySelectorAll('.messages a')].map((a) => [a.href, a.target, a.rel].join(' '))`, &links)
	want := "https://example.com/a?b=1 _blank noopener noreferrer\nhttp://127.0.0.1:1/r/k7m2 _blank noopener noreferrer"
	if got := strings.Join(links, "\n"); got != want {
		t.Errorf("links\n%s\nwant\n%s", got, want)
	}
	page.Until("an urgent message stands out", `document.querySelector('.message.urgent').textContent.includes('ESCALATION')`)
	page.Until("the three facts are told apart", `[...document.querySelectorAll('.three li')].map((f) => f.className).join() === 'yes,yes,notyet'`)
	page.Until("the thread of a drill that waits is open, the other one is not", `[...document.querySelectorAll('.thread')].filter((d) => !d.hidden).map((d) => d.open).join() === 'false,true'`)
}

func cards(t *testing.T, b *browsertest.Browser) {
	page := b.Open(t, (&place{t: t, messages: []rooms.Message{
		bot("1", "", "⚠️ [SANDBOX] Running: Cart\nWhere  cfg · staging\n🧪 SANDBOX · nothing real is touched  Open the drill (http://127.0.0.1:1/r/k7m2?t=a.b)"),
		bot("2", "", "Firedrill · SANDBOX\n[SANDBOX] 等待处理: 购物车\n演练: k7m2 (cart)\n1. 请求停止：2026-11-28 10:00:00 +08:00，由 wecom:ww/alice\n依据：enough\n2. 云服务停止：尚未确认\n3. 恢复：失败，需人工处理\n[已批准]"),
		bot("3", "", "@alice [SANDBOX] 已申请开始 cart-empty：演练 k7m2"),
	}}).serve()+"/chat/slack")
	page.Sees("@alice 已申请开始 cart-empty：演练 k7m2")
	var got []string
	page.Eval(`[...document.querySelectorAll('.message .pill, .message .title, .pairs div, .three li, .message a')].map((e) => [e.className, e.textContent].join(': '))`, &got)
	want := []string{
		"pill mode-mark: SANDBOX", "pill run: Running", "title: ⚠️ Cart", ": Where cfg · staging", ": Open the drill ↗",
		"pill mode-mark: SANDBOX", "pill wait: 等待处理", "title: 购物车", ": 演练 k7m2 (cart)", "yes: ✓1. 请求停止: 2026-11-28 10:00:00 +08:00，由 wecom:ww/alice依据：enough",
		"notyet: …2. 云服务停止: 尚未确认", "no: ✗3. 恢复: 失败，需人工处理", "pill idle: 已批准", "pill mode-mark: SANDBOX",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func typing(t *testing.T, b *browsertest.Browser) {
	p := &place{t: t, messages: drilling(), answer: rooms.Heard{Status: 200, Text: "[SANDBOX] start of cart-empty asked for: drill k7m2dril"}}
	page := b.Open(t, p.serve()+"/chat/slack")
	page.Click("the box", box)
	page.Type("/drill start cart-empty")
	page.Key("Enter")
	page.Sees("start of cart-empty asked for")
	page.Until("both are shown to alice alone", `[...document.querySelectorAll('.message.private')].map((m) => m.querySelector('.text').textContent).join('|') === '/drill start cart-empty|start of cart-empty asked for: drill k7m2dril'`)
	page.Until("the box is empty and has the focus", box+`.value === '' && document.activeElement === `+box)
	p.now(func() {
		if want := (rooms.Saying{Person: "Ualice", Channel: drillsChannel, Text: "/drill start cart-empty"}); len(p.said) != 1 || p.said[0] != want {
			t.Errorf("sent %+v", p.said)
		}
		p.messages = append(p.messages, rooms.Message{ID: "9", From: "alice", Text: "@Firedrill /drill start cart-empty", At: time.Now()}) // this platform shows it after all
	})
	page.Until("it is shown once", `[...document.querySelectorAll('.message')].filter((m) => !m.matches('.bot') && m.textContent.includes('/drill start cart-empty')).length === 1`)
}

func notSent(t *testing.T, b *browsertest.Browser) {
	p := &place{t: t, refuse: "Slack wants commands to begin with a slash"}
	page := b.Open(t, p.serve()+"/chat/slack")
	page.Click("the box", box)
	page.Type("drill list")
	page.Key("Enter")
	page.Sees("Not sent: drill list: Slack wants commands to begin with a slash")
	page.Until("what was typed is back", box+`.value === 'drill list'`)
	p.now(func() { p.refuse, p.answer = "", rooms.Heard{Status: 401} })
	page.Key("Enter")
	page.Sees("Firedrill answered 401.")
}

func history(t *testing.T, b *browsertest.Browser) {
	page := b.Open(t, (&place{t: t, answer: rooms.Heard{Status: 200}}).serve()+"/chat/slack")
	page.Click("the box", box)
	for _, text := range []string{"/drill list", "/drill status"} {
		page.Type(text)
		page.Key("Enter")
		page.Until(text+" is sent", fmt.Sprintf("[...document.querySelectorAll('.message')].some((m) => m.textContent.includes(%s))", browsertest.Quote(text)))
	}
	page.Type("/dr")
	for _, step := range [][2]string{{"ArrowUp", "/drill status"}, {"ArrowUp", "/drill list"}, {"ArrowUp", "/drill list"}, {"ArrowDown", "/drill status"}, {"ArrowDown", "/dr"}} {
		page.Key(step[0])
		page.Until(step[0]+" shows "+step[1], fmt.Sprintf("%s.value === %s", box, browsertest.Quote(step[1])))
	}
}

func pressing(t *testing.T, b *browsertest.Browser) {
	p := &place{t: t, messages: drilling(), answer: rooms.Heard{Status: 200}}
	page := b.Open(t, p.serve()+"/chat/slack")
	page.Click("bob", persona("bob"))
	page.Click("Approve", pressable("Approve"))
	page.Until("it cannot be pressed twice", pressable("Approve")+`.disabled`)
	p.now(func() {
		if want := (rooms.Pressing{Person: "Ubob", Channel: drillsChannel, Message: "4"}); len(p.pressed) != 1 || p.pressed[0] != want {
			t.Errorf("pressed %+v", p.pressed)
		}
		p.messages[3].Text, p.messages[3].Buttons, p.messages[3].Edits = "[SANDBOX] Running: Checkout\nApproved by bob at 10:00.", []rooms.Button{stop}, 1
	})
	page.Sees("Approved by bob at 10:00.")
	page.Until("it is marked as edited, and Approve is gone", `document.querySelector('.edited') && !`+pressable("Approve"))
	page.Click("Stop", pressable("Stop"))
}

func aiming(t *testing.T, b *browsertest.Browser) {
	p := &place{t: t, messages: drilling(), answer: rooms.Heard{Status: 200}}
	for i := range 20 {
		p.messages = append(p.messages, bot(fmt.Sprint("more ", i), "", "[SANDBOX] Started: Another drill\nThe service runs it.", stop))
	}
	page := b.Open(t, p.serve()+"/chat/slack")
	atEnd := list + `.scrollHeight - ` + list + `.scrollTop - ` + list + `.clientHeight < 2`
	page.Until("the newest message is in sight", list+`.children.length > 20 && `+atEnd)
	p.now(func() {
		p.messages = append(p.messages, bot("new 1", "", "[SANDBOX] Progress: Another drill\nIt goes on."))
	})
	page.Sees("It goes on.")
	page.Until("the list follows", atEnd)
	page.Point("a button", `[...document.querySelectorAll('.press')].at(-1)`)
	p.now(func() {
		p.messages = append(p.messages, bot("new 2", "", "[SANDBOX] Progress: Another drill\nIt is nearly done."))
	})
	page.Eval(`document.dispatchEvent(new Event('firedrill:refresh'))`, nil)
	page.Until("it does not move what one points at", `!document.querySelector('.newer').hidden && !(`+atEnd+`)`)
	page.Click("New messages", `document.querySelector('.newer')`)
	page.Until("it is at its end", `document.querySelector('.newer').hidden && `+atEnd)

	page.Point("a button", pressable("Stop"))
	const top = `document.querySelector('.press:hover')?.getBoundingClientRect().top`
	var before, after float64
	page.Eval(top, &before)
	p.now(func() {
		p.messages[0].Text += strings.Repeat("\nanother line", 10)
		p.messages[3].Text += "\nSomething more."
	})
	page.Sees("Something more.")
	page.Eval(`new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r(`+top+`))))`, &after)
	if math.Abs(after-before) >= 1 {
		t.Errorf("the button under the mouse went from %v to %v", before, after)
	}
}

// looks waits until the page has asked for the messages again, and drawn them.
func (p *place) looks(page *browsertest.Page) {
	p.t.Helper()
	var before int
	p.now(func() { before = p.looked })
	page.Eval(`document.dispatchEvent(new Event('firedrill:refresh'))`, nil)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		now := before
		p.now(func() { now = p.looked })
		if now > before {
			break
		}
		if time.Now().After(end) {
			p.t.Fatal("the page does not ask for the messages")
		}
	}
	page.Eval(`new Promise((r) => setTimeout(r, 300))`, nil)
}

// holding: the messages above grow, and the message itself changes, while its button is held down. The press counts.
func holding(t *testing.T, b *browsertest.Browser) {
	p := &place{t: t, messages: drilling(), answer: rooms.Heard{Status: 200}}
	page := b.Open(t, p.serve()+"/chat/slack")
	release := page.Hold("Stop", pressable("Stop"))
	p.now(func() {
		p.messages[0].Text += strings.Repeat("\nanother line", 10)
		p.messages[3].Text += "\nSomething more."
	})
	p.looks(page)
	release()
	page.Sees("Something more.")
	p.now(func() {
		if want := (rooms.Pressing{Person: "Ualice", Channel: drillsChannel, Message: "4", Button: 1}); len(p.pressed) != 1 || p.pressed[0] != want {
			t.Errorf("pressed %+v", p.pressed)
		}
	})
}

func readOut(t *testing.T, b *browsertest.Browser) {
	p := &place{t: t, messages: drilling()}
	page := b.Open(t, p.serve()+"/chat/slack")
	aloud := `document.querySelector('[aria-live=polite].aloud').textContent`
	page.Sees("Checkout survives")
	page.Until("nothing is read out of what was there", aloud+` === ''`)
	page.Eval(pressable("Stop")+`.focus()`, nil)
	page.Eval(`document.querySelector('.thread[open] summary').marked = true; document.querySelectorAll('.thread[open] summary').length`, nil)
	p.now(func() { p.messages = append(p.messages, bot("6", "4", "[SANDBOX] Approved: Checkout\nAgreed by bob.")) })
	page.Until("a new message is", aloud+` === 'Firedrill: SANDBOX, Approved, Checkout'`)
	page.Until("the focus stays, and so do threads", `document.activeElement === `+pressable("Stop")+` && document.querySelector('.thread[open] summary').marked`)
	p.now(func() { p.messages[3].Text, p.messages[3].Buttons = "[SANDBOX] Refused: Checkout", nil })
	page.Until("a changed message is", aloud+` === 'Firedrill: SANDBOX, Refused, Checkout'`)
	page.Until("the focus is on the message whose button is gone", `document.activeElement.matches('.message') && document.activeElement.textContent.includes('Refused')`)
}

func inThread(t *testing.T, b *browsertest.Browser) {
	p := &place{t: t, messages: drilling(), answer: rooms.Heard{Status: 200, Text: "noted"}}
	url := p.serve()
	page := b.Open(t, url+"/chat/slack")
	page.Click("Reply in thread", `[...document.querySelectorAll('.answer')].at(-1)`)
	page.Sees("In the thread of Checkout survives")
	page.Type("status")
	page.Key("Enter")
	page.Until("the answer stands in the thread", `document.querySelector('.thread[open] .private.bot').textContent.includes('noted')`)
	p.now(func() {
		if len(p.said) != 1 || p.said[0].Thread != "4" {
			t.Errorf("sent %+v", p.said)
		}
	})
	page.Click("Leave the thread", `document.querySelector('.where button')`)
	page.Until("it is left", `document.querySelector('.where').textContent === '' && document.activeElement === `+box)
	page.Go(url + "/chat/dingtalk")
	page.Sees("Checkout survives")
	page.Until("a platform without threads offers none", `[...document.querySelectorAll('.answer')].every((b) => b.hidden)`)
}

func privately(t *testing.T, b *browsertest.Browser) {
	p := &place{t: t, messages: []rooms.Message{bot("1", "", "for all"), {ID: "2", From: "Firedrill", Bot: true, Text: "for mallory", Private: "Umallory", At: time.Now()}}}
	url := p.serve()
	page := b.Open(t, url+"/chat/slack")
	page.Sees("for all")
	page.Until("alice does not see it", `!document.body.innerText.includes('for mallory')`)
	page.Click("mallory", persona("mallory"))
	page.Sees("for mallory")
	page.Until("it says so", `document.querySelector('.message.private').textContent.includes('only you see this')`)
	page.Go(url + "/chat/wecom")
	page.Until("who one is stays on another platform", `document.querySelector('.people :checked').dataset.person === 'mallory'`)
}

func onPhone(t *testing.T, b *browsertest.Browser) {
	page := b.Open(t, (&place{t: t, messages: drilling()}).serve()+"/chat/slack")
	page.Size(390, 844)
	page.Sees("Checkout survives")
	page.Until("nothing is wider than the window", `document.documentElement.scrollWidth <= 390 && document.documentElement.scrollHeight <= 844`)
	page.Until("there is room for messages", list+`.clientHeight > 300`)
	page.Click("carol", persona("carol"))
	page.Click("Stop", pressable("Stop"))
	page.Click("the box", box)
}

func keyboard(t *testing.T, b *browsertest.Browser) {
	p := &place{t: t, messages: drilling(), answer: rooms.Heard{Status: 200}}
	page := b.Open(t, p.serve()+"/chat/slack")
	page.Sees("Checkout survives")
	var stops []string
	for range 40 {
		page.Key("Tab")
		var at string
		page.Eval(`(() => { const e = document.activeElement; return e.ariaLabel ?? e.labels?.[0]?.innerText.split('\n')[0] ?? e.textContent; })()`, &at)
		stops = append(stops, at)
		if strings.HasPrefix(at, "As ") {
			break
		}
	}
	all := strings.Join(stops, " | ")
	for _, want := range []string{"Skip to content | Firedrill | Drills | Chat | Slack", "| WeCom | ", "| Messages | ", "| Approve | Stop | Report ↗ | ", "| Reply in thread | ", "| /drill list | ", "| As alice, in #drills"} {
		if !strings.Contains(all, want) {
			t.Errorf("the tab key does not lead to %q: %s", want, all)
		}
	}
	page.Eval(`document.querySelector('.people :checked').focus()`, nil)
	page.Key("ArrowDown")
	page.Until("bob looks", `document.querySelector('.hints label').textContent === 'As bob, in #drills'`)
	page.Eval(pressable("Approve")+`.focus()`, nil)
	page.Key("Enter")
	page.Until("it was pressed", pressable("Approve")+`.disabled`)
}
