package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

func TestRooms_overHTTP(t *testing.T) {
	w := start(t)
	for name, c := range map[string]struct {
		path, body string
		status     int
		says       string
	}{
		"a platform that is not there":       {"icq/say", `{}`, http.StatusNotFound, `no chat platform`},
		"no JSON":                            {"slack/say", `x`, http.StatusBadRequest, "not as expected"},
		"nobody":                             {"slack/say", `{"person":"U0EVE","channel":"slack:T0DRILL/C0DRILLS","text":"/drill list"}`, http.StatusBadRequest, "U0EVE"},
		"a message that is not there":        {"slack/press", `{"person":"U0BOB","channel":"slack:T0DRILL/C0DRILLS","message":"1"}`, http.StatusBadRequest, ""},
		"trouble at no platform":             {"icq/trouble", `{"kind":"down"}`, http.StatusNotFound, "no chat platform"},
		"no trouble":                         {"slack/trouble", `{"kind":"sick"}`, http.StatusBadRequest, "none of throttled, error, down, lost"},
		"a misspelt field":                   {"slack/trouble", `{"kind":"down","time":3}`, http.StatusBadRequest, "unknown field"},
		"a time that is none":                {"slack/trouble", `{"kind":"throttled","after":"soon"}`, http.StatusBadRequest, "no time to wait"},
		"less than no times":                 {"slack/trouble", `{"kind":"down","times":-1}`, http.StatusBadRequest, "less than 0"},
		"said, and answered at once":         {"slack/say", `{"person":"U0ALICE","channel":"slack:T0DRILL/C0DRILLS","text":"/drill list"}`, http.StatusOK, "cart-empty"},
		"trouble, told back as it was meant": {"feishu/trouble", `{"kind":"throttled","times":0,"after":"90s"}`, http.StatusOK, `"after": "1m30s"`},
	} {
		t.Run(name, func(t *testing.T) {
			w.do("POST", "/api/rooms/"+c.path, "application/json", c.body).want(t, c.status, c.says)
		})
	}
	var all []roomInfo
	w.do("GET", "/api/rooms", "", "").want(t, http.StatusOK).into(t, &all)
	if len(all) != 4 || len(all[0].People) != 4 || len(all[0].Channels) == 0 {
		t.Errorf("rooms: %+v", all)
	}
	var seen []rooms.Message
	w.do("GET", "/api/rooms/slack?channel=slack:T0DRILL/C0DRILLS&person=U0ALICE", "", "").want(t, http.StatusOK).into(t, &seen)
	if len(seen) != 1 || seen[0].Private != "U0ALICE" || !strings.Contains(seen[0].Text, "cart-empty") {
		t.Errorf("alice sees %+v", seen)
	}
}

func TestRooms_aPlatformThatIsDownGetsItLater(t *testing.T) {
	w := start(t, func(set *settings, _ *screen) { set.speed, set.catalog = 10, onlyTo(t, chat.Slack) })
	w.do("POST", "/api/rooms/slack/trouble", "application/json", `{"kind":"down","times":2}`).want(t, http.StatusOK)
	k := w.at(t, chat.Slack)
	d := k.started(k.say("operator", "/drill start smoke-wait"))
	eventually(t, func() bool { return strings.Contains(k.shown(k.person("viewer").ID), d.ID) }, "the drill's message")
}

// The chat page and the platforms' handshakes share their addresses: a handshake stands in a query, which the page has not.
func TestRooms_thePageAndTheHandshakesShareTheirAddresses(t *testing.T) {
	w := start(t)
	for path, page := range map[string]bool{"/chat": true, "/chat/wecom": true, "/chat/wecom?msg_signature=x&timestamp=1&nonce=1&echostr=x": false} {
		a := w.do("GET", path, "", "")
		if got := strings.Contains(a.body, "<!doctype html>"); got != page {
			t.Errorf("GET %s: the page is shown: %v, status %d", path, got, a.status)
		}
	}
	w.do("GET", "/chat/wecom?msg_signature=x&timestamp=1&nonce=1&echostr=x", "", "").want(t, http.StatusUnauthorized)
}
