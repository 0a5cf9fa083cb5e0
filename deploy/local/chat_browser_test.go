package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/deploy/local/console/browsertest"
	"github.com/firedrill/firedrill/shared/chat"
)

// updateImages takes the pictures of the documents again.
var updateImages = flag.Bool("update-images", false, "take docs/images/chat-*.png and console.png again: go test ./deploy/local -run 'InABrowser|picture' -update-images")

const (
	productionPlan = "checkout-az-outage-production"
	byHandPlan     = "cart-empty"
)

// The clock runs quickly where the test waits for the drill, and slowly where the drill must not be over before the test has pressed a
// button: a machine may take its time.
const quick, slow = 20, 0.5

// pane is the console's chat page in a browser, with a platform's people.
type pane struct {
	*browsertest.Page
	*talker
	platform chat.Platform
}

// become is somebody else from now on.
func (p *pane) become(role string) {
	p.t.Helper()
	person := p.person(role)
	p.Click(person.Name, fmt.Sprintf("document.querySelector('input[data-person=%s]').parentElement", strings.ToLower(person.Name)))
	p.Until("what "+person.Name+" sees", fmt.Sprintf("document.querySelector('.messages').dataset.person === %s", browsertest.Quote(person.ID)))
}

func (p *pane) types(text string) {
	p.t.Helper()
	p.Click("the box to type in", "document.querySelector('#say')")
	p.Type(text)
	p.Key("Enter")
}

// messages is an expression for the elements of those that hold all of the texts, oldest first.
func messages(texts ...string) string {
	js := "[...document.querySelectorAll('.message')]"
	for _, text := range texts {
		js += fmt.Sprintf(".filter((m) => m.textContent.includes(%s))", browsertest.Quote(text))
	}
	return js
}

// sees waits for a message that holds all of the texts and for which more, an expression over m, is true.
func (p *pane) sees(what, more string, texts ...string) {
	p.t.Helper()
	p.Until(what, fmt.Sprintf("%s.some((m) => %s)", messages(texts...), more))
}

// presses presses the newest button with a label, in the platform's language, on a message that holds the text.
func (p *pane) presses(label, text string) {
	p.t.Helper()
	p.Click(label, fmt.Sprintf("%s.flatMap((m) => [...m.querySelectorAll('button.press')]).filter((b) => b.textContent === %s).at(-1)",
		messages(text), browsertest.Quote(p.in(label))))
}

// offers is an expression that says whether m has a button with the label.
func (p *pane) offers(label string) string {
	return fmt.Sprintf("[...m.querySelectorAll('button.press')].some((b) => b.textContent === %s)", browsertest.Quote(p.in(label)))
}

// in is an English label in the language of the platform's channel.
func (p *pane) in(label string) string {
	if p.platform == chat.Slack {
		return label
	}
	return chineseOf()[label]
}

// root is an expression that says whether m is a first message, where the platform has threads; elsewhere each message is one.
const root = "m.matches('.root > .message')"

// stopped are the three facts of a stop by somebody, in m: two with their times, the third decided.
func stopped(by string) string {
	return fmt.Sprintf("((f) => f.length === 3 && f[0].matches('.yes') && f[0].textContent.includes(%s) && f[1].matches('.yes') && f[2].matches(':not(.notyet)'))([...m.querySelectorAll('.three li')])",
		browsertest.Quote(by))
}

// TestChat_InABrowser is what a newcomer does with the console's chat page on each platform: type, approve as another person, advance, stop.
func TestChat_InABrowser(t *testing.T) {
	b := browsertest.Start(t)
	for _, platform := range platforms() {
		t.Run(string(platform), func(t *testing.T) {
			t.Parallel()
			w := start(t, func(set *settings, _ *screen) { set.speed, set.catalog = quick, onlyTo(t, platform) })
			p := &pane{b.Open(t, w.url+"/chat/"+string(platform)), w.at(t, platform), platform}
			p.Size(1200, 900)
			p.Sees("Nothing here yet. Three first steps:")
			p.become("operator")
			p.types("/drill start " + productionPlan)
			p.sees("the drill's first message, with its mode", root+" && m.querySelector('.mode-mark')", productionPlan)
			p.approves()
			p.picture()
			p.stranger()
			p.stops(productionPlan, "stranger")
			p.advances()
		})
	}
}

// stops presses Stop as who one is now, and waits for the three facts.
func (p *pane) stops(plan, role string) {
	p.t.Helper()
	by := p.person(role).Who
	p.presses("Stop", plan)
	p.w.until("the record of "+plan+" says that "+by+" asked for the stop", func() bool {
		var all []drillView
		p.w.do("GET", "/api/drills", "", "").into(p.t, &all)
		return slices.ContainsFunc(all, func(d drillView) bool { return d.Plan == plan && d.Stop.By == by })
	})
	p.w.s.clock.SetSpeed(quick)
	p.sees("that the stop is asked for", root+" && m.querySelector('.three li.yes')", plan, by)
	p.sees("the three facts of the stop", root+" && "+stopped(by), plan)
}

// stranger is told what to ask for.
func (p *pane) stranger() {
	p.t.Helper()
	p.become("stranger")
	p.types("/drill start " + byHandPlan)
	p.sees("the id to give an admin", "m.matches('.private') || "+root, p.person("stranger").Who)
}

// approves presses Approve as the approver: the card says who and when, and cannot be answered again.
func (p *pane) approves() {
	p.t.Helper()
	p.become("approver")
	p.sees("the question", p.offers("Approve"), productionPlan)
	p.w.s.clock.SetSpeed(slow)
	p.presses("Approve", productionPlan)
	answered := "m.querySelector('.edited') && !" + p.offers("Approve")
	who, done := p.person("approver").Who, "批准"
	if p.platform == chat.Slack {
		done = "Approved"
	}
	if p.platform == chat.Slack || p.platform == chat.Feishu {
		p.sees("the card, rewritten with who and when", answered, productionPlan, done, who)
		return
	}
	now := done
	if p.platform == chat.WeCom {
		now = "已提交" // what a card itself says there is fixed at the press
	}
	p.sees("the card, rewritten", answered, productionPlan, now)
	p.sees("who and when, in a message of its own", root, productionPlan, done, who)
}

// advances starts a drill of steps by hand, goes one on, and stops it.
func (p *pane) advances() {
	p.t.Helper()
	p.become("operator")
	p.types("/drill start " + byHandPlan)
	p.sees("the first step", p.offers("Advance"), byHandPlan)
	p.w.s.clock.SetSpeed(slow)
	p.presses("Advance", byHandPlan)
	p.sees("the card of the step, answered", "m.querySelector('.edited') && !"+p.offers("Advance"), byHandPlan)
	p.stops(byHandPlan, "operator")
}

// picture takes the picture of a drill that was just approved and runs.
func (p *pane) picture() {
	p.t.Helper()
	if !*updateImages {
		return
	}
	time.Sleep(6 * time.Second) // the first message is edited some seconds later
	p.Eval("document.querySelector('.root:has(.sheet)').scrollIntoView(), document.querySelector('.newer').hidden = true", nil)
	keep(p.t, "chat-"+string(p.platform)+".png", p.Picture())
}

// keep writes a picture of the documents.
func keep(t *testing.T, name string, png []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join("..", "..", "docs", "images", name), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestConsole_picture takes the picture of a drill's page, and does nothing else.
func TestConsole_picture(t *testing.T) {
	if !*updateImages {
		t.Skip("only with -update-images")
	}
	b := browsertest.Start(t)
	w := start(t, func(set *settings, _ *screen) { set.speed = 10 })
	page := b.Open(t, w.url+"/")
	page.Size(1000, 1240)
	page.Click("Start", "document.querySelector('[data-key=plan-cart-cpu-start]')")
	page.Click("Execute", "document.querySelector('.gate .go')")
	page.Sees("Waits for you: High CPU Load (rollback)")
	page.Until("what was said of the press is gone", "!document.querySelector('.note')")
	keep(t, "console.png", page.Picture())
}
