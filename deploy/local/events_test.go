package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
)

func TestEvents_refused(t *testing.T) {
	w := start(t)
	start := `{"plan":"smoke-wait","actor":"local:test/ann"}`
	good := structured("a", "command.start", start)
	for name, c := range map[string]struct {
		contentType, body string
		header            []string
		status            int
		text              string
	}{
		"no content type":             {"", good, nil, 415, "send Content-Type application/cloudevents+json"},
		"plain json":                  {"application/json", good, nil, 415, `content type \"application/json\"`},
		"a form":                      {"application/x-www-form-urlencoded", "a=b", nil, 415, "is no CloudEvent"},
		"a batch":                     {"application/cloudevents-batch+json", "[" + good + "]", nil, 415, "is no CloudEvent"},
		"no json":                     {ceJSON, "{", nil, 400, "not one valid json document"},
		"nothing":                     {ceJSON, "", nil, 400, "not one valid json document"},
		"two documents":               {ceJSON, good + good, nil, 400, "not one valid json document"},
		"a key twice":                 {ceJSON, strings.Replace(good, "{", `{"id":"b",`, 1), nil, 400, `key \"id\" stands twice`},
		"another specversion":         {ceJSON, strings.Replace(good, "1.0", "0.3", 1), nil, 400, "specversion"},
		"no id":                       {ceJSON, strings.Replace(good, `"id":"a",`, "", 1), nil, 400, "id"},
		"an unknown type":             {ceJSON, structured("a", "command.explode", start), nil, 400, "dev.firedrill.command.explode.v1"},
		"a payload without its field": {ceJSON, structured("a", "command.start", `{"actor":"local:test/ann"}`), nil, 400, "plan: missing"},
		"a wrong kind of field":       {ceJSON, structured("a", "command.start", `{"plan":7,"actor":"x"}`), nil, 400, "plan"},
		"too large":                   {ceJSON, structured("a", "command.start", `{"plan":"x","actor":"`+strings.Repeat("x", events.MaxBytes)+`"}`), nil, 413, "at most 65536 bytes"},
		"too large, binary": {"application/json", `{"plan":"x","actor":"` + strings.Repeat("x", events.MaxBytes) + `"}`,
			[]string{"Ce-Specversion", "1.0", "Ce-Id", "a", "Ce-Source", "/test", "Ce-Type", events.TypeStart}, 413, "at most 65536 bytes"},
		"binary without an id":         {"application/json", start, []string{"Ce-Specversion", "1.0", "Ce-Source", "/test", "Ce-Type", events.TypeStart}, 400, "id"},
		"a short id that no drill has": {ceJSON, structured("a", "command.stop", `{"drill":"zzzzzz","actor":"local:test/ann"}`), nil, 404, `there is no drill \"zzzzzz\"`},
	} {
		t.Run(name, func(t *testing.T) {
			w.do("POST", "/events", c.contentType, c.body, c.header...).want(t, c.status, c.text)
		})
	}
	t.Run("and nothing was started", func(t *testing.T) {
		w.s.bus.Idle()
		w.do("GET", "/api/drills", "", "").want(t, 200, "[]")
		w.do("GET", "/events", "", "").want(t, http.StatusMethodNotAllowed)
	})
}

func TestEvents_structuredAndBinaryAreTheSame(t *testing.T) {
	w := start(t)
	body := `{"plan":"smoke-wait","actor":"local:test/ann"}`
	var one, two struct{ ID, Type, Drill string }
	w.do("POST", "/events", "application/cloudevents+json; charset=utf-8", structured("same", "command.start", body)).want(t, 202).into(t, &one)
	w.do("POST", "/events", "application/json", body, "Ce-Specversion", "1.0", "Ce-Id", "same", "Ce-Source", "/test", "Ce-Type", events.TypeStart).want(t, 202).into(t, &two)
	want := events.ID("drill", "/test", "same")
	if one != two || one.ID != "same" || one.Type != events.TypeStart || one.Drill != want {
		t.Errorf("answers %+v and %+v, want drill %s", one, two, want)
	}
	w.reaches(want, string(drill.Concluding))
}

func TestEvents_commandsTakeTheBeginningOfAnID(t *testing.T) {
	w := start(t)
	id := w.ask("cart-empty", "{}")
	w.until("the gate is open", func() bool { v, ok := w.drill(id); return ok && len(v.Gates) == 1 })
	ch, end := w.s.facts.listen()
	defer end()
	w.post("command.note", fmt.Sprintf(`{"drill":%q,"text":"by a short id","actor":"local:test/ann"}`, id[:6]))
	w.post("command.stop", fmt.Sprintf(`{"drill":%q,"reason":"enough","actor":"local:test/ann"}`, strings.ToUpper(id[:5])))
	v := w.reaches(id, string(drill.Concluding))
	for len(ch) > 0 {
		if e := <-ch; events.IsCommand(e.Type()) && (e.Subject() != id || !strings.Contains(string(e.Data()), id)) {
			t.Errorf("%s on the bus is about %q: %s", e.Type(), e.Subject(), e.Data())
		}
	}
	if v.Stop.RequestedAt == nil || v.Stop.StoppedAt == nil || v.Stop.RestoredAt == nil || v.Stop.By != "local:test/ann" || v.Stop.Reason != "enough" {
		t.Errorf("stop %+v", v.Stop)
	}
	noted := false
	for _, m := range v.Timeline {
		noted = noted || strings.Contains(m.Change, "by a short id")
	}
	if !noted {
		t.Errorf("the note is not in the record: %+v", v.Timeline)
	}
}
