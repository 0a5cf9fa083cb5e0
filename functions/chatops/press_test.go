package chatops_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/messages"
	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/chat/token/tokentest"
	"github.com/firedrill/firedrill/shared/drill"
)

// plainly is a platform without signatures: what it receives is what the test says. It cannot answer in its acknowledgement.
type plainly struct {
	in   chat.Incoming
	err  error
	said chat.Answer // the last one
}

func (p *plainly) Receive(chat.Request) (chat.Incoming, error) {
	in := p.in
	in.Answer = func(a chat.Answer) chat.Response {
		p.said = a
		return chat.Response{Type: "text/plain", Body: []byte(a.Text + "|" + a.Done)}
	}
	return in, p.err
}

const third = "abcdefghijkl2"

// room is a world with a chat platform in which bob approves and alice operates.
func room(t testing.TB) (*world, *plainly) {
	t.Helper()
	w, p := newWorld(t), &plainly{in: chat.Incoming{ID: "1", From: chat.Principal{Platform: chat.Slack, Tenant: "T", User: "ALICE"}, Channel: "T/C", Says: true}}
	w.f.Receivers[chat.Slack] = p
	w.f.Keys = tokentest.New()
	w.policy = access.Policy{
		Bindings: []access.Binding{{Role: "operator", To: "slack:T/ALICE", Environments: []string{"staging"}}, {Role: "approver", To: "slack:T/BOB"}, {Role: "viewer", To: "slack:T/CAROL"}},
		Own:      map[string][]string{"team-pay": {"approve"}},
		Ceilings: map[string]access.Role{"dingtalk": access.Operator},
	}
	d := &drill.Drill{ID: third, Mode: "SANDBOX", Status: drill.Waiting, Actor: "slack:T/ALICE", Plan: drill.Plan{Name: "cart-cpu", Environment: "staging", Owner: "team-pay", Timezone: "UTC",
		Expect: []drill.Claim{{ID: "c1", Claim: "no order is lost", Ask: "owner"}}}, Claims: []drill.ClaimState{{ID: "c1"}}}
	d.Approvals = &drill.Approvals{Gate: "start@3", Hash: "h1", Need: 1, ExpiresAt: now.Add(time.Hour)}
	d.Gates = []drill.Gate{{ID: "start@3", Kind: drill.ApprovalGate, Choices: []drill.Choice{{Action: drill.ApproveRun}, {Action: drill.RejectRun}}}}
	w.drills = append(w.drills, d)
	w.drills[1].Plan.Environment = "staging"
	return w, p
}

// as sends what the person typed or pressed, and returns what the acknowledgement says.
func (w *world) as(p *plainly, user, id, text, tok string) (int, string) {
	w.t.Helper()
	p.in.From.User, p.in.ID, p.in.Text, p.in.Token = user, id, text, tok
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/chat/slack", strings.NewReader(text+tok)))
	return rec.Code, rec.Body.String()
}

func (w *world) button(verb, drill, of string) string {
	w.t.Helper()
	s, err := w.f.Keys.Press(token.Press{Verb: verb, Drill: drill, Of: of, Until: now.Add(time.Hour)})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func TestRoles_WhoMayDoWhat(t *testing.T) {
	for name, c := range map[string]struct {
		user, text string
		done       bool
		want       string
	}{
		"an operator starts in staging":           {"ALICE", "start cart-cpu", true, "start of cart-cpu asked for"},
		"an operator starts in production":        {"ALICE", "start checkout-az-outage", false, "bound to you here"},
		"an approver starts":                      {"BOB", "start cart-cpu", true, "asked for"},
		"a viewer starts":                         {"CAROL", "start cart-cpu", false, "takes operator"},
		"a stranger starts":                       {"EVE", "start cart-cpu", false, "slack:T/EVE"},
		"a stranger tries a plan that is not":     {"EVE", "start nothing", false, "slack:T/EVE"},
		"a stranger looks":                        {"EVE", "list", false, "slack:T/EVE"},
		"a stranger looks at a drill that is not": {"EVE", "status zzzz", false, "slack:T/EVE"},
		"a stranger asks for help":                {"EVE", "help", false, "Give an admin this id to bind to one: slack:T/EVE"},
		"a stranger stops":                        {"EVE", "stop " + third, true, "stop of drill abcdefghijkl2 asked for"},
		"a stranger stops all":                    {"EVE", "stop all", true, "stop of every drill asked for"},
		"a stranger halts":                        {"EVE", "halt", false, "slack:T/EVE"},
		"an operator halts":                       {"ALICE", "halt all fire", true, "halt of all"},
		"an operator releases":                    {"ALICE", "release all over", false, "may not release"},
		"an approver releases":                    {"BOB", "release all over", true, "release of all"},
		"an operator approves":                    {"ALICE", "approve " + third, false, "takes approver"},
		"an approver approves":                    {"BOB", "approve abcd", true, "approval of abcdefgh sent"},
		"a viewer advances":                       {"CAROL", "advance k7zz", false, "takes operator"},
		"an operator advances":                    {"ALICE", "advance k7zz", true, "advance of k7zzz4x9 sent"},
		"a viewer concludes":                      {"CAROL", "conclude abcd expected x", false, "takes operator"},
		"a viewer looks":                          {"CAROL", "status abcd", false, "cart-cpu: waiting"},
	} {
		t.Run(name, func(t *testing.T) {
			w, p := room(t)
			code, text := w.as(p, c.user, "1", c.text, "")
			if code != http.StatusOK || !strings.Contains(text, c.want) {
				t.Errorf("answer %d %s", code, text)
			}
			if done := len(w.published)+len(w.inputs) > 0; done != c.done {
				t.Errorf("done: %v %v", w.published, w.inputs)
			}
			refused := strings.Contains(text, "may not")
			if refused != (len(w.denied) == 1) {
				t.Errorf("recorded %+v for %s", w.denied, text)
			}
			if refused && (w.denied[0].Actor != "slack:T/"+c.user || w.denied[0].ID != "1") {
				t.Errorf("recorded %+v", w.denied[0])
			}
		})
	}
}

func TestRoles_AListShowsOnlyWhatOneMaySee(t *testing.T) {
	w, p := room(t)
	if _, text := w.as(p, "ALICE", "1", "list", ""); !strings.Contains(text, "cart-cpu") || strings.Contains(text, "checkout") {
		t.Error(text)
	}
	if _, text := w.as(p, "BOB", "2", "list", ""); !strings.Contains(text, "checkout-az-outage") {
		t.Error(text)
	}
}

func TestCeiling_TypedWordsCarryLessThanAButton(t *testing.T) {
	w, p := room(t)
	w.f.Receivers[chat.Slack] = p
	p.in.From.Platform = chat.DingTalk
	w.policy.Bindings = append(w.policy.Bindings, access.Binding{Role: "admin", To: "dingtalk:T/BOB"})
	if _, text := w.as(p, "BOB", "1", "approve abcd", ""); len(w.inputs) != 0 || !strings.Contains(text, "use the button") {
		t.Errorf("typed: %s, %v", text, w.inputs)
	}
	if _, text := w.as(p, "BOB", "2", "advance k7zz", ""); len(w.published) != 1 {
		t.Errorf("advance: %s", text)
	}
	w.published = nil
	if _, text := w.as(p, "BOB", "3", "", w.button("approve", third, messages.OfGate(w.drills[2], "start@3"))); len(w.inputs) != 1 {
		t.Errorf("pressed: %s, %v", text, w.inputs)
	}
}

func TestApprove_FromTheOwnersRole(t *testing.T) {
	w, p := room(t)
	w.drills[2].Plan.Approval.From = "owner"
	if _, text := w.as(p, "BOB", "1", "approve abcd", ""); len(w.inputs) != 0 || !strings.Contains(text, "takes team-pay") {
		t.Errorf("%s, %v", text, w.inputs)
	}
	w.policy.Bindings = append(w.policy.Bindings, access.Binding{Role: "team-pay", To: "slack:T/BOB"})
	if _, text := w.as(p, "BOB", "2", "approve abcd", ""); len(w.inputs) != 1 {
		t.Errorf("%s, %v", text, w.inputs)
	}
}

func TestPress_CarriesWhatWasAskedAndNothingElse(t *testing.T) {
	w, p := room(t)
	_, text := w.as(p, "BOB", "1", "", w.button("approve", third, messages.OfGate(w.drills[2], "start@3")))
	_, e := payload[events.Approve](t, w)
	if e.Gate != "start@3" || e.Drill != third || e.Actor != "slack:T/BOB" || !strings.HasSuffix(text, "|Sent") {
		t.Errorf("%+v, %s", e, text)
	}
}

func TestPress_ThatCannotBeTrustedOrComesTooLate(t *testing.T) {
	approve := func(w *world) string { return w.button("approve", third, messages.OfGate(w.drills[2], "start@3")) }
	for name, c := range map[string]struct {
		user  string
		token func(w *world) string
		want  string
	}{
		"made by others": {"BOB", func(*world) string {
			s, _ := tokentest.New().Press(token.Press{Verb: "approve", Drill: third, Of: "x", Until: now.Add(time.Hour)})
			return s
		}, "none of ours"},
		"no token at all":       {"BOB", func(*world) string { return "approve" }, "none of ours"},
		"by one without a role": {"CAROL", approve, "takes approver"},
		"expired":               {"BOB", func(w *world) string { t := approve(w); w.clock = now.Add(2 * time.Hour); return t }, "this button has expired"},
		"asked with another plan": {"BOB", func(w *world) string {
			t := approve(w)
			w.drills[2].Approvals.Hash = "h2"
			return t
		}, "decided already"},
		"approved meanwhile": {"BOB", func(w *world) string {
			t := approve(w)
			w.drills[2].Gates, w.drills[2].Status = nil, drill.Running
			w.drills[2].Approvals.Votes = []drill.Vote{{Actor: "slack:T/DAVE", At: now}}
			return t
		}, "approved by slack:T/DAVE at 2026-11-24 09:00:00 +00:00. Drill abcdefgh is running now"},
		"a gate that somebody answered": {"ALICE", func(w *world) string {
			w.drills[1].Gates = nil
			w.drills[1].Answers = []drill.Answered{{Move: drill.Move{Gate: "2@5", Action: drill.Skip}, Actor: "slack:T/DAVE", At: now}}
			return w.button("advance", second, messages.OfGate(w.drills[1], "2@5"))
		}, "slack:T/DAVE chose skip"},
		"a drill that is gone": {"BOB", func(w *world) string { return w.button("approve", "zzzzzzzzzzzz2", "abcdefgh") }, "there is no drill"},
		"a claim that is answered": {"ALICE", func(w *world) string {
			w.drills[2].Claims[0].Answer = &drill.Reply{Holds: true, Actor: "slack:T/DAVE", At: now}
			return w.button("yes", third, messages.OfClaim("c1"))
		}, "slack:T/DAVE answered yes"},
		"a plan that is gone": {"ALICE", func(w *world) string { return w.button("halt", third, messages.OfPlan("gone")) }, "not in the catalogue"},
	} {
		t.Run(name, func(t *testing.T) {
			w, p := room(t)
			code, text := w.as(p, c.user, "1", "", c.token(w))
			if code != http.StatusOK || !strings.Contains(text, c.want) {
				t.Errorf("answer %d %s", code, text)
			}
			if len(w.published)+len(w.inputs) != 0 {
				t.Errorf("something was done: %v %v", w.published, w.inputs)
			}
		})
	}
}

func TestPress_IsGoodOnceForEachPerson(t *testing.T) {
	w, p := room(t)
	b := w.button("approve", third, messages.OfGate(w.drills[2], "start@3"))
	w.as(p, "BOB", "1", "", b)
	w.published = nil
	if _, text := w.as(p, "BOB", "2", "", b); len(w.inputs) != 1 || !strings.Contains(text, "pressed this button before") {
		t.Errorf("again: %s, %v", text, w.inputs)
	}
	again, q := room(t) // the first press, delivered again to another instance
	again.presses, again.f.Keys = w.presses, w.f.Keys
	if _, text := again.as(q, "BOB", "1", "", b); len(again.inputs) != 1 {
		t.Errorf("delivered again: %s", text)
	}
	fails, r := room(t)
	fails.f.Keys, fails.publish, fails.input = w.f.Keys, errors.New("bus"), errors.New("journal")
	fails.as(r, "BOB", "3", "", b)
	fails.publish, fails.input = nil, nil
	if _, text := fails.as(r, "BOB", "4", "", b); len(fails.published) != 1 {
		t.Errorf("a press that did nothing used the button up: %s", text)
	}
}

func TestPress_StopsWhateverElseIsWrong(t *testing.T) {
	w, p := room(t)
	w.read = errors.New("journal is slow")
	if _, text := w.as(p, "EVE", "1", "", w.button("stop", third, "abcdefgh")); len(w.inputs) != 1 || !strings.Contains(text, "asked for") {
		t.Errorf("%s, %v", text, w.inputs)
	}
}

func TestPress_AStopNeverExpiresAndAsksNobody(t *testing.T) {
	w, p := room(t)
	b := w.button("stop", third, "abcdefgh")
	w.presses[b+" slack:T/EVE"] = "an earlier press"
	w.clock = now.Add(48 * time.Hour)
	if _, text := w.as(p, "EVE", "1", "", b); len(w.inputs) != 1 || !strings.Contains(text, "asked for") {
		t.Errorf("%s, %v", text, w.inputs)
	}
	if w.looked {
		t.Error("a stop waits for what chat remembers")
	}
}

func TestPress_AnswersAClaimAndHaltsAPlan(t *testing.T) {
	w, p := room(t)
	w.as(p, "ALICE", "1", "", w.button("no", third, messages.OfClaim("c1")))
	_, e := payload[events.Answer](t, w)
	if e.Claim != "c1" || e.Holds {
		t.Errorf("%+v", e)
	}
	w.published = nil
	w.as(p, "ALICE", "2", "", w.button("halt", "slotslotslot2", messages.OfPlan("cart-cpu")))
	if len(w.inputs) != 1 || w.inputs[0] != "halt plan/cart-cpu slack:T/ALICE " {
		t.Errorf("%v", w.inputs)
	}
}

func TestThread_StandsForItsDrill(t *testing.T) {
	w, p := room(t)
	w.threads["slack:T/C 17.1"] = third
	p.in.Thread = "17.1"
	w.as(p, "ALICE", "1", "note the cache was cold", "")
	_, n := payload[events.Note](t, w)
	if n.Drill != third || n.Text != "the cache was cold" {
		t.Errorf("%+v", n)
	}
	w.published = nil
	if _, text := w.as(p, "BOB", "2", "approve k7m2q4x9", ""); len(w.inputs) != 1 && !strings.Contains(text, "k7m2") {
		t.Errorf("another drill's id: %s %v", text, w.inputs)
	}
	if got := strings.Join(w.inputs, " "); strings.Contains(got, third) {
		t.Errorf("the thread's drill was approved for another: %s", got)
	}
	w.inputs, w.published = nil, nil
	if _, text := w.as(p, "BOB", "3", "approve k9m2", ""); strings.Contains(strings.Join(w.inputs, ""), "k9m2") {
		t.Errorf("%s", text)
	}
	w.inputs, w.published = nil, nil
	if _, text := w.as(p, "BOB", "4", "approve xyz234", ""); len(w.inputs) != 0 || !strings.Contains(text, "no drill's id begins") {
		t.Errorf("a misspelt id: %s, %v", text, w.inputs)
	}
	p.in.Thread = "99.9"
	if _, text := w.as(p, "BOB", "5", "approve", ""); len(w.inputs) != 0 || !strings.Contains(text, "id is missing") {
		t.Errorf("another thread: %s", text)
	}
}

func TestTell_WhereTheAcknowledgementCannot(t *testing.T) {
	w, p := room(t)
	p.in.Says, p.in.Thread, p.in.Message = false, "17.1", "17.2"
	p.in.ReplyURL, p.in.ReplyUntil = "https://hooks.slack.com/actions/hunter2", now.Add(30*time.Minute)
	w.as(p, "CAROL", "1", "status abcd", "")
	e, r := payload[events.Reply](t, w)
	if r.To != "slack:T/C" || r.User != "slack:T/CAROL" || r.Thread != "17.1" || r.Message != "17.2" || !strings.Contains(r.Text, "cart-cpu: waiting") || strings.Contains(r.URL, "hunter2") {
		t.Errorf("%+v", r)
	}
	if url, err := w.f.Keys.Open(r.URL); url != p.in.ReplyURL || err != nil {
		t.Errorf("%q, %v", url, err)
	}
	w.published = nil
	w.as(p, "CAROL", "1", "status abcd", "")
	if again, _ := payload[events.Reply](t, w); again.ID() != e.ID() {
		t.Error("delivered again, it is another answer")
	}
	w.published = nil
	w.publish = errors.New("bus is down")
	if code, _ := w.as(p, "EVE", "2", "stop all", ""); code != http.StatusOK || len(w.inputs) != 1 {
		t.Errorf("a stop whose answer cannot be sent: %d %v", code, w.inputs)
	}
}

func TestTell_ASuccessAfterAFailureIsAnotherAnswer(t *testing.T) {
	w, p := room(t)
	p.in.Says = false
	w.publishCommands = errors.New("bus is down for commands")
	if code, _ := w.as(p, "ALICE", "1", "start cart-cpu", ""); code != http.StatusServiceUnavailable {
		t.Fatal(code)
	}
	failed, r := payload[events.Reply](t, w)
	if !strings.Contains(r.Text, "send it again") {
		t.Fatal(r.Text)
	}
	w.published, w.publishCommands = nil, nil
	w.as(p, "ALICE", "1", "start cart-cpu", "") // the platform delivers it again
	if len(w.published) != 2 || w.published[1].Type() != events.TypeReply || w.published[1].ID() == failed.ID() {
		t.Errorf("%v", w.published)
	}
}
