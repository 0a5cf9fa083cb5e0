package slack

import (
	"encoding/json"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// arguments are those of the methods that are played.
type arguments struct {
	Channel  string          `json:"channel"`
	User     string          `json:"user"`
	TS       string          `json:"ts"`
	Thread   string          `json:"thread_ts"`
	Text     string          `json:"text"`
	Blocks   json.RawMessage `json:"blocks"`
	Response string          `json:"response_type"`
	Replace  bool            `json:"replace_original"`
	Delete   bool            `json:"delete_original"`
}

// result is a reply: always a JSON object with ok.
type result map[string]any

// refusal is a reply that says no, by one of Slack's codes.
func refusal(code string) result { return result{"ok": false, "error": code} }

// throttle is a reply of 429.
type throttle time.Duration

// API serves the Web API below /api/ and reply URLs below /response/.
func (r *Room) API() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", func(w http.ResponseWriter, q *http.Request) {
		r.serve(w, func() any { return r.call(q.PathValue("method"), q) })
	})
	mux.HandleFunc("POST /response/{id}", func(w http.ResponseWriter, q *http.Request) {
		r.serve(w, func() any { return r.respond(q.PathValue("id"), q) })
	})
	return mux
}

// serve makes the reply, or the trouble that was asked for.
func (r *Room) serve(w http.ResponseWriter, do func() any) {
	t := r.troubled()
	switch t.Kind {
	case "throttled":
		after := t.After
		if after <= 0 {
			after = 30 * time.Second
		}
		reply(w, throttle(after))
		return
	case "error":
		reply(w, refusal("internal_error"))
		return
	case "down":
		http.Error(w, "upstream connect error", http.StatusServiceUnavailable)
		return
	}
	out := do()
	if t.Kind == "lost" {
		panic(http.ErrAbortHandler) // the server closes the connection without a word
	}
	reply(w, out)
}

// troubled takes one failure off what was asked for.
func (r *Room) troubled() rooms.Trouble {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.trouble.Times <= 0 {
		return rooms.Trouble{}
	}
	r.trouble.Times--
	return r.trouble
}

func reply(w http.ResponseWriter, out any) {
	switch v := out.(type) {
	case throttle:
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(time.Duration(v).Seconds()))))
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusTooManyRequests)
		out = refusal("ratelimited")
	case gone:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		out = refusal(string(v))
	case string:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, v)
		return
	default:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	_ = json.NewEncoder(w).Encode(out) // the other side is gone: there is nobody to tell
}

// call plays one method (https://docs.slack.dev/reference/methods).
func (r *Room) call(method string, q *http.Request) any {
	in, bearer, bad := read(q)
	switch {
	case bad != "":
		return refusal(bad)
	case bearer == "":
		return refusal("not_authed")
	case bearer != token:
		return refusal("invalid_auth")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch method {
	case "auth.test":
		return result{"ok": true, "url": "https://" + domain + ".slack.com/", "team": "Drill", "user": handle, "team_id": team, "user_id": bot, "bot_id": botID}
	case "chat.postMessage":
		return r.postMessage(in)
	case "chat.update":
		return r.update(in)
	case "chat.postEphemeral":
		return r.postEphemeral(in)
	}
	return result{"ok": false, "error": "unknown_method", "req_method": method}
}

// read takes the arguments from JSON or from a form, and the token from the header or from the form.
func read(q *http.Request) (in arguments, bearer, bad string) {
	body, err := io.ReadAll(io.LimitReader(q.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return in, "", "request_too_large"
	}
	bearer, _ = strings.CutPrefix(q.Header.Get("Authorization"), "Bearer ")
	kind, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if kind == "application/json" {
		if json.Unmarshal(body, &in) != nil {
			return in, bearer, "invalid_json"
		}
		return in, bearer, ""
	}
	if kind != "application/x-www-form-urlencoded" && len(body) > 0 {
		return in, bearer, "invalid_post_type"
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return in, bearer, "invalid_form_data"
	}
	if bearer == "" {
		bearer = form.Get("token")
	}
	in = arguments{Channel: form.Get("channel"), User: form.Get("user"), TS: form.Get("ts"), Thread: form.Get("thread_ts"), Text: form.Get("text")}
	if s := form.Get("blocks"); s != "" {
		in.Blocks = json.RawMessage(s)
	}
	return in, bearer, ""
}
