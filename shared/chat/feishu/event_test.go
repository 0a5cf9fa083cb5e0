package feishu

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/chat"
)

func TestReceive_AMessageSaysWhoWhatAndWhere(t *testing.T) {
	raw := set(set(event(), "event.message.root_id", "om_root"), "event.message.parent_id", "om_parent")
	in, err := receiver().Receive(signed(seal(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if in.ID != "om_1" || in.Channel != tenant+"/oc_drills" || in.Thread != "om_root" || in.Message != "om_1" || in.Direct || in.Says || in.Token != "" {
		t.Errorf("got %+v", in)
	}
	if r := in.Answer(chat.Answer{Text: "hello", Done: "x"}); r.Status != http.StatusOK || string(r.Body) != "{}" || !strings.HasPrefix(r.Type, "application/json") {
		t.Errorf("answer %+v", r)
	}
}

func TestReceive_ThreadIsTheRootOrWhatIsAnswered(t *testing.T) {
	for name, c := range map[string]struct{ root, parent, thread, want string }{
		"outside":                  {"", "", "", ""},
		"in a thread":              {"om_root", "om_root", "omt_1", "om_root"},
		"a quote of a quote":       {"om_root", "om_2", "", "om_root"},
		"a parent alone":           {"", "om_2", "", "om_2"},
		"the head of a new thread": {"", "", "omt_1", ""},
		"no id":                    {"a/b", "om_2", "", "om_2"},
	} {
		raw := set(set(set(event(), "event.message.root_id", c.root), "event.message.parent_id", c.parent), "event.message.thread_id", c.thread)
		if in, err := receiver().Receive(signed(seal(raw))); err != nil || in.Thread != c.want {
			t.Errorf("%s: %q, %v", name, in.Thread, err)
		}
	}
}

func TestReceive_IgnoresWhatIsNoCommand(t *testing.T) {
	for name, q := range map[string]chat.Request{
		"the bot's own words":       with("event.sender.sender_type", "app"),
		"another bot's":             with("event.sender.sender_type", "bot"),
		"another event":             with("header.event_type", "im.message.message_read_v1"),
		"a picture":                 with("event.message.message_type", "image"),
		"nobody mentioned":          with("event.message.mentions", []any{}),
		"a person mentioned":        with("event.message.mentions", []any{map[string]any{"key": "@_user_1", "name": "Bob", "mentioned_type": "user"}}),
		"a control without a token": signed(seal(press(`{}`))),
		"a control with a text":     signed(seal(press(`"x"`))),
		"a control without a value": signed(seal(press(`null`))),
	} {
		in, err := receiver().Receive(q)
		if err != nil || in.Response == nil || in.Response.Status != http.StatusOK || string(in.Response.Body) != "{}" {
			t.Errorf("%s: %+v, %v", name, in, err)
		}
	}
}

func TestReceive_SaysThatAGenuineEventCannotBeRead(t *testing.T) {
	for name, q := range map[string]chat.Request{
		"no sender":             with("event.sender.sender_id.open_id", ""),
		"a sender with a slash": with("event.sender.sender_id.open_id", "ou/../x"),
		"no message id":         with("event.message.message_id", ""),
		"no chat":               with("event.message.chat_id", ""),
		"content is no JSON":    with("event.message.content", "hello"),
		"content twice":         with("event.message.content", `{"text":"a","Text":"b"}`),
		"text is a number":      with("event.message.content", `{"text":1}`),
		"message is a number":   with("event.message", 1),
		"no event":              with("event", nil),
		"a press of a number":   with("header.event_type", "card.action.trigger"),
		"a press of nobody":     signed(seal(set(press(`{"t":"x"}`), "event.operator.open_id", ""))),
		"a press of no message": signed(seal(set(press(`{"t":"x"}`), "event.context.open_message_id", ""))),
		"a press of no event":   signed(seal(set(press(`{"t":"x"}`), "header.event_id", ""))),
		"an endless token":      signed(seal(press(`{"t":"` + strings.Repeat("x", 513) + `"}`))),
	} {
		in, err := receiver().Receive(q)
		ignored := in.Response != nil && name == "no event" // without a sender it is nobody's
		if errors.Is(err, chat.ErrAuth) || err == nil && !ignored {
			t.Errorf("%s: %+v, %v", name, in, err)
		}
	}
}

func TestReceive_APressCarriesItsTokenAndIsAnsweredByAToast(t *testing.T) {
	in, err := receiver().Receive(signed(seal(press(`{"t":"1.approve.k7.x.y"}`))))
	if err != nil {
		t.Fatal(err)
	}
	if in.ID != "f7984f25108f8137722bb63cee927e66" || in.Token != "1.approve.k7.x.y" || in.Message != "om_7" || in.Channel != tenant+"/oc_drills" || !in.Says || in.Text != "" {
		t.Errorf("got %+v", in)
	}
	if in.From.String() != "feishu:"+tenant+"/ou_bob" {
		t.Errorf("from %s", in.From)
	}
	for name, c := range map[string]struct {
		a    chat.Answer
		want string
	}{
		"done":         {chat.Answer{Text: "Approved\nby you", Done: "approved"}, `{"toast":{"content":"Approved by you","type":"success"}}`},
		"failed":       {chat.Answer{Text: "too late", Failed: true}, `{"toast":{"content":"too late","type":"error"}}`},
		"without text": {chat.Answer{Done: "approved by U1"}, `{"toast":{"content":"approved by U1","type":"success"}}`},
		"nothing":      {chat.Answer{}, `{}`},
		"very long":    {chat.Answer{Text: strings.Repeat("演", 400)}, `{"toast":{"content":"` + strings.Repeat("演", 299) + `…","type":"success"}}`},
		"quotes":       {chat.Answer{Text: `<at id=all></at>"`}, `{"toast":{"content":"<at id=all></at>\"","type":"success"}}`},
	} {
		r := in.Answer(c.a)
		if string(r.Body) != c.want || r.Status != http.StatusOK || !json.Valid(r.Body) {
			t.Errorf("%s: %s", name, r.Body)
		}
	}
	if _, err := receiver().Receive(signed(seal(set(press(`{"t":"x"}`), "event.operator.tenant_key", "guests")))); !errors.Is(err, chat.ErrAuth) {
		t.Errorf("a guest's press: %v", err)
	}
}

func TestTyped_IsWhatThePersonTyped(t *testing.T) {
	bot := mention{Key: "@_user_1", Name: "Firedrill"}
	bob := mention{Key: "@_user_2", Name: "Bob"}
	ten := mention{Key: "@_user_10", Name: "Ten"}
	for name, c := range map[string]struct {
		text string
		m    []mention
		want string
		ours bool
	}{
		"the bot in front":           {"@_user_1 /drill start x", []mention{bot}, "/drill start x", true},
		"a colon behind it":          {"@_user_1: stop all", []mention{bot}, ": stop all", true},
		"a comma behind it":          {"@_user_1，停止 k7m2", []mention{bot}, "，停止 k7m2", true},
		"without a space":            {"@_user_1启动 x", []mention{bot}, "启动 x", true},
		"spaces before":              {"  @_user_1\n status", []mention{bot}, "status", true},
		"a person later":             {"@_user_1 note k7 ask @_user_2", []mention{bot, bob}, "note k7 ask @Bob", true},
		"the bot twice":              {"@_user_1 @_user_1 list", []mention{bot}, "list", true},
		"a bot that is named later":  {"/drill list @_user_1", []mention{{Key: "@_user_1", Name: "Firedrill", Type: "bot"}}, "/drill list", true},
		"a person in front":          {"@_user_2 @_user_1 list", []mention{{Key: "@_user_2", Name: "Bob", Type: "user"}, {Key: "@_user_1", Name: "F", Type: "app"}}, "@Bob  list", true},
		"only persons":               {"@_user_2 stop all", []mention{{Key: "@_user_2", Name: "Bob", Type: "user"}}, "@Bob stop all", false},
		"everybody":                  {"@_user_1 note k7 @_all come", []mention{bot}, "note k7 @all come", true},
		"keys with the same start":   {"@_user_1 note @_user_10 @_user_2", []mention{bot, bob, ten}, "note @Ten @Bob", true},
		"an unknown key":             {"@_user_1 note @_user_3", []mention{bot}, "note @_user_3", true},
		"an address":                 {"@_user_1 note a@b.c @ @@", []mention{bot}, "note a@b.c @ @@", true},
		"a name that looks like one": {"@_user_1 note @_user_2", []mention{bot, {Key: "@_user_2", Name: "@_user_1"}}, "note @@_user_1", true},
		"a name with a line break":   {"@_user_1 note @_user_2", []mention{bot, {Key: "@_user_2", Name: "B\nob\u202e"}}, "note @B ob", true},
		"nobody":                     {"stop all", nil, "stop all", false},
		"an empty key":               {"@_user_1", []mention{bot, {Key: "", Name: "x"}}, "", true},
	} {
		if got, ours := typed(c.text, c.m); got != c.want || ours != c.ours {
			t.Errorf("%s: %q, %v", name, got, ours)
		}
	}
}

func TestReceive_ReadsPostsAndDirectMessages(t *testing.T) {
	body := `{"title":"","content":[[{"tag":"at","user_id":"@_user_1","user_name":"Firedrill"},{"tag":"text","text":" note k7 see "},{"tag":"a","text":"the page","href":"https://x.example"}],[{"tag":"text","text":"second line"},{"tag":"at","user_id":"ou_9","user_name":"Eve"}]]}`
	q := signed(seal(set(set(event(), "event.message.message_type", "post"), "event.message.content", body)))
	if in, err := receiver().Receive(q); err != nil || in.Text != "note k7 see the page\nsecond line@Eve" {
		t.Errorf("post: %q, %v", in.Text, err)
	}
	q = signed(seal(set(set(set(event(), "event.message.chat_type", "p2p"), "event.message.mentions", nil), "event.message.content", text("list"))))
	if in, err := receiver().Receive(q); err != nil || in.Text != "list" || !in.Direct {
		t.Errorf("direct: %+v, %v", in, err)
	}
	for _, bad := range []string{`[]`, `{"content":[[{"tag":1}]]}`, `{"content":1}`, `x`} {
		q = signed(seal(set(set(event(), "event.message.message_type", "post"), "event.message.content", bad)))
		if in, err := receiver().Receive(q); err == nil || errors.Is(err, chat.ErrAuth) {
			t.Errorf("post %s: %+v, %v", bad, in, err)
		}
	}
}

func FuzzTyped(f *testing.F) {
	f.Add("@_user_1 start x", "@_user_1", "Firedrill", "")
	f.Add("@_user_1@_user_12@_all@", "@_user_12", "@_user_1", "user")
	f.Fuzz(func(t *testing.T, s, key, name, kind string) {
		got, _ := typed(s, []mention{{Key: key, Name: name, Type: kind}})
		if strings.TrimSpace(got) != got {
			t.Errorf("%q", got)
		}
	})
}
