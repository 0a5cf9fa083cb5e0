package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/catalog/shipped"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/setup/talk"
)

// sample is a vendor's own payload.
func sample(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "shared", "inbound", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// injecting starts a drill, waits until its fault is live, and slows the clock so that it does not end before the test is through.
func (w *world) injecting(plan string) string {
	w.t.Helper()
	id := w.ask(plan, "{}")
	w.until("the fault of "+plan+" is live", func() bool {
		v, ok := w.drill(id)
		for _, r := range w.s.box.Live() {
			if ok && r.ID == v.Run {
				w.s.clock.SetSpeed(10)
				return true
			}
		}
		return false
	})
	return id
}

func TestInbound_payloads(t *testing.T) {
	w := start(t)
	ch, end := w.s.facts.listen()
	defer end()
	for name, c := range map[string]struct {
		platform, payload string
		status            int
		text              string
	}{
		"an unknown platform":        {"azure", "{}", 400, "none of aws, aliyun, tencent"},
		"an aws payload of no kind":  {"aws", `{"hello":"world"}`, 400, "neither an EventBridge event"},
		"an aws event of others":     {"aws", `{"detail-type":"EC2 Instance State-change Notification","source":"aws.ec2"}`, 400, "means nothing here"},
		"no json":                    {"tencent", "hello", 400, "want a JSON object"},
		"an empty body":              {"aliyun", "", 400, "the payload is empty"},
		"an fis state change":        {"aws", sample(t, "aws-fis.json"), 202, events.TypeState},
		"a metric alarm":             {"aws", sample(t, "aws-alarm-metric.json"), 202, events.TypeAlarm},
		"an alarm by sns":            {"aws", sample(t, "aws-alarm-sns.json"), 202, events.TypeAlarm},
		"an oos event":               {"aliyun", sample(t, "aliyun-oos.json"), 202, events.TypeState},
		"an aliyun timer":            {"aliyun", sample(t, "aliyun-timer.json"), 202, events.TypeTick},
		"a tencent timer is a tick":  {"tencent", sample(t, "tencent-timer.json"), 202, events.TypeTick},
		"an aws schedule is a tick":  {"aws", sample(t, "aws-scheduled.json"), 202, events.TypeTick},
		"a payload that is too long": {"aws", `{"a":"` + strings.Repeat("x", maxBody) + `"}`, 413, "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.do("POST", "/inbound/"+c.platform, "application/json", c.payload).want(t, c.status, c.text)
			if !strings.Contains(a.header.Get("Content-Type"), "application/json") {
				t.Errorf("content type %q", a.header.Get("Content-Type"))
			}
		})
	}
	kinds := map[string]int{}
	for len(ch) > 0 {
		kinds[(<-ch).Type()]++
	}
	if kinds[events.TypeState] < 2 || kinds[events.TypeAlarm] < 2 || kinds[events.TypeTick] < 3 {
		t.Errorf("events on the bus: %v", kinds)
	}
}

func TestInbound_cloudwatchAlarmStopsTheDrill(t *testing.T) {
	w := start(t)
	id := w.injecting("checkout-az-outage")
	at := time.Now().UTC()
	payload := strings.NewReplacer("ServerCpuTooHigh", "checkout-5xx", "2019-10-02T17:04:40.989+0000", at.Format("2006-01-02T15:04:05.000-0700"),
		"2019-10-02T17:04:40Z", at.Format(time.RFC3339)).Replace(sample(t, "aws-alarm-metric.json"))
	w.do("POST", "/inbound/aws", "application/json", payload).want(t, 202, events.TypeAlarm)
	v := w.reaches(id, string(drill.Concluding))
	if v.Outcome != string(drill.Stopped) || v.Stop.By != "alarm:cloudwatch/checkout-5xx" || v.Stop.StoppedAt == nil || v.Stop.RestoredAt == nil {
		t.Errorf("outcome %q, stop %+v", v.Outcome, v.Stop)
	}
	if v := w.play(id); v.Verdict != drill.Unexpected {
		t.Errorf("verdict %q, want unexpected", v.Verdict)
	}
}

func TestAlarms_webhooks(t *testing.T) {
	w := start(t)
	id := w.ask("cart-cpu", "{}")
	w.until("the gate is open", func() bool { v, ok := w.drill(id); return ok && len(v.Gates) == 1 })
	w.do("POST", "/alarms/nobody", "application/json", "{}").want(t, 400, "nobody")
	w.do("POST", "/alarms/alertmanager", "application/json", "{}").want(t, 400, "alert")
	w.do("POST", "/alarms/generic", "application/json", sample(t, "generic.json")).want(t, 202, events.TypeAlarm)
	w.do("POST", "/alarms/cloudmonitor", "application/x-www-form-urlencoded", sample(t, "cloudmonitor.form")).want(t, 202, events.TypeAlarm)
	if v, _ := w.drill(id); v.Stop.RequestedAt != nil {
		t.Fatalf("an alarm that the plan does not name stopped it: %+v", v.Stop)
	}
	body := fmt.Sprintf(`{"version":"4","status":"firing","alerts":[
		{"status":"firing","labels":{"alertname":"CartErrors","env":"staging","pod":"cart-1"},"annotations":{"summary":"too many errors"},"startsAt":%q,"fingerprint":"5ef7"},
		{"status":"broken"}]}`, time.Now().UTC().Format(time.RFC3339Nano))
	w.do("POST", "/alarms/alertmanager", "application/json", body).want(t, 400, "item 2") // the first one is not lost with it
	v := w.reaches(id, string(drill.Concluding))
	if v.Stop.By != "alarm:alertmanager/CartErrors" || !strings.Contains(v.Stop.Reason, "too many errors") {
		t.Errorf("stop %+v", v.Stop)
	}
}

// withAnn is the catalogue that comes along, in which ann of acme is an operator besides.
func withAnn(t *testing.T) func(*settings, *screen) {
	t.Helper()
	text, err := shipped.FS.ReadFile(shipped.Name)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, content := range map[string]string{"shipped.yaml": string(text),
		"drills.yaml": "version: 1\ninclude: [ shipped.yaml ]\nbindings: [ { role: operator, to: \"webhook:acme/ann\" } ]\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(set *settings, _ *screen) { set.catalog = filepath.Join(folder, "drills.yaml") }
}

func (w *world) chat(at time.Time, secrets []webhook.Secret, text string) answer {
	w.t.Helper()
	body := fmt.Sprintf(`{"text":%q,"user":"ann","tenant":"acme"}`, text)
	return w.do("POST", "/chat/webhook", "application/json", body, signed(w.t, secrets, "msg_"+random(12), at, body)...)
}

func TestChat_signedWebhook(t *testing.T) {
	w := start(t, withAnn(t))
	others, err := webhook.ParseSecrets(madeUp(talk.InSecrets))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	w.chat(now, others, "/drill status").want(t, 401, "not authorised")
	w.chat(now.Add(-6*time.Minute), w.secrets(), "/drill status").want(t, 401, "not authorised")
	w.chat(now.Add(6*time.Minute), w.secrets(), "/drill status").want(t, 401, "not authorised")
	w.do("POST", "/chat/webhook", "application/json", `{"text":"/drill status"}`).want(t, 401, "not authorised")
	w.do("POST", "/chat/slack", "application/json", "{}").want(t, 401, "not authorised")
	w.do("POST", "/chat/mattermost", "application/json", "{}").want(t, 404)

	w.chat(now, w.secrets(), "/drill explode").want(t, 200, "explode")
	w.chat(now, w.secrets(), "/drill status").want(t, 200, "no drill is active")
	w.chat(now, w.secrets(), "/drill list").want(t, 200, "cart-empty", "smoke-wait")
	var got struct{ Text, Drill string }
	w.chat(now, w.secrets(), "/drill start cart-empty").want(t, 200, "[SANDBOX] start of cart-empty asked for").into(t, &got)
	w.until("the gate is open", func() bool { v, ok := w.drill(got.Drill); return ok && len(v.Gates) == 1 })
	if v, _ := w.drill(got.Drill); v.Actor != "webhook:acme/ann" {
		t.Errorf("actor %q", v.Actor)
	}
	w.chat(now, w.secrets(), "/drill status "+got.Drill[:6]).want(t, 200, "waits at")
	w.chat(now, w.secrets(), "/drill stop "+strings.ToUpper(got.Drill[:6])).want(t, 200, "stop of drill "+got.Drill[:8])
	v := w.reaches(got.Drill, string(drill.Concluding))
	if v.Stop.By != "webhook:acme/ann" || v.Stop.StoppedAt == nil {
		t.Errorf("stop %+v", v.Stop)
	}
}

// TestAccess_thePersonAtTheKeyboardMayDoEverything, and who comes in from outside what the catalogue says.
func TestAccess_thePersonAtTheKeyboardMayDoEverything(t *testing.T) {
	w := start(t)
	for _, mode := range []string{sandboxMode, liveMode} {
		s := &system{mode: mode} // the running one is being served
		s.catalog.Store(w.s.catalog.Load())
		for _, actor := range []string{"local:console/you", demoActor, "local:" + host() + "/" + login()} {
			if err := s.access().May(actor, "release", access.Everywhere); err != nil {
				t.Errorf("%s: %v", mode, err)
			}
		}
		for _, actor := range []string{"webhook:acme/ann", "slack:T0DRILL/U0MALLORY", "alarm:local/x", "local:/x", "local:*/*"} {
			if s.access().May(actor, "start", "staging") == nil {
				t.Errorf("%s: %s may start drills", mode, actor)
			}
		}
	}
	if err := w.s.access().May("webhook:sandbox/alice", "start", "staging"); err != nil {
		t.Error(err)
	}
	lines, end := w.s.facts.listen()
	defer end()
	w.post("command.start", `{"plan":"smoke-wait","actor":"webhook:acme/ann"}`)
	w.s.bus.Idle()
	for len(lines) > 0 {
		if e := <-lines; e.Type() == events.TypeRefused {
			if p, err := events.Decode[events.Refused](e); err != nil || p.Check != "access" || !strings.Contains(p.Reason, "webhook:acme/ann") {
				t.Errorf("%+v, %v", p, err)
			}
			return
		}
	}
	t.Error("nothing was refused")
}

func TestChat_theSameRequestTwiceIsOneDrill(t *testing.T) {
	w := start(t, withAnn(t))
	body := `{"text":"/drill start smoke-wait","user":"ann","tenant":"acme"}`
	header := signed(t, w.secrets(), "msg_1", time.Now(), body)
	one := w.do("POST", "/chat/webhook", "application/json", body, header...).want(t, 200)
	two := w.do("POST", "/chat/webhook", "application/json", body, header...).want(t, http.StatusOK)
	if one.body != two.body {
		t.Errorf("answers differ: %s and %s", one.body, two.body)
	}
	w.until("the drill runs", func() bool { return len(w.s.box.Runs()) > 0 })
	w.s.bus.Idle()
	var all []drillView
	w.do("GET", "/api/drills", "", "").into(t, &all)
	if len(all) != 1 {
		t.Errorf("%d drills, want one", len(all))
	}
}
