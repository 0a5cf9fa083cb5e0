package feishu

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

const (
	maxCardBytes = 30 << 10
	maxTextBytes = 150 << 10
	maxHookBytes = 20 << 10
	lifetime     = 2 * time.Hour
	renewal      = 30 * time.Minute // in a token's last minutes a new one is given
)

// issued is an access token.
type issued struct {
	value string
	until time.Time
}

// fault is a call that Feishu does not do.
type fault struct {
	status int
	code   int
	msg    string
	after  int // seconds, with a rate limit
}

// API returns the vendor's API.
func (r *Room) API() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /open-apis/auth/v3/tenant_access_token/internal", r.serveToken)
	mux.HandleFunc("POST /open-apis/im/v1/messages", r.serve(r.create))
	mux.HandleFunc("POST /open-apis/im/v1/messages/{id}/reply", r.serve(r.reply))
	mux.HandleFunc("PATCH /open-apis/im/v1/messages/{id}", r.serve(r.patch))
	mux.HandleFunc("POST /open-apis/bot/v2/hook/{id}", r.serveHook)
	return mux
}

// serve does what all calls of an app have in common: the size, the token, the limits of the app, and trouble.
func (r *Room) serve(do func(req *http.Request, body []byte) (any, *fault)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 4*maxTextBytes))
		r.mu.Lock()
		trouble := r.troubled()
		f := r.authorised(req)
		if f == nil && (err != nil || !strings.HasPrefix(req.Header.Get("Content-Type"), "application/json")) {
			f = &fault{status: http.StatusBadRequest, code: 9499, msg: "Bad Request"}
		}
		if f == nil {
			f = r.limited()
		}
		if f == nil {
			f = trouble.fault(false)
		}
		var data any
		if f == nil {
			data, f = do(req, body)
		}
		r.mu.Unlock()
		if trouble.Kind == "lost" {
			panic(http.ErrAbortHandler) // the message is taken, the connection ends
		}
		write(w, data, f)
	}
}

func write(w http.ResponseWriter, data any, f *fault) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	out := map[string]any{"code": 0, "msg": "success", "data": data}
	status := http.StatusOK
	if f != nil {
		status, out = f.status, map[string]any{"code": f.code, "msg": f.msg}
		if f.after > 0 {
			w.Header().Set("x-ogw-ratelimit-limit", "100")
			w.Header().Set("x-ogw-ratelimit-reset", strconv.Itoa(f.after))
		}
	}
	w.WriteHeader(status)
	if status >= http.StatusInternalServerError {
		return // a gateway that has nobody behind it
	}
	_ = json.NewEncoder(w).Encode(out) // whoever asked has gone: nobody to tell
}

// kind is trouble that is used up one call at a time.
type kind struct{ rooms.Trouble }

func (r *Room) troubled() kind {
	if r.trouble.Times <= 0 {
		return kind{}
	}
	r.trouble.Times--
	return kind{r.trouble}
}

// fault is how a call of an app, or of a custom bot, fails.
func (k kind) fault(hook bool) *fault {
	switch k.Kind {
	case "throttled":
		if hook {
			return &fault{status: http.StatusOK, code: 11232, msg: "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"}
		}
		return &fault{status: http.StatusTooManyRequests, code: 99991400, msg: "request trigger frequency limit", after: max(int(k.After/time.Second), 1)}
	case "error":
		return &fault{status: http.StatusOK, code: 2200, msg: "Internal Error"}
	case "down":
		return &fault{status: http.StatusServiceUnavailable}
	}
	return nil
}

// serveToken gives an access token for the app's secret.
func (r *Room) serveToken(w http.ResponseWriter, req *http.Request) {
	var in struct {
		App    string `json:"app_id"`
		Secret string `json:"app_secret"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 4<<10))
	if err != nil || json.Unmarshal(body, &in) != nil || in.App != appID {
		write(w, nil, &fault{status: http.StatusOK, code: 10003, msg: "invalid param"})
		return
	}
	if in.Secret != appSecret {
		write(w, nil, &fault{status: http.StatusOK, code: 10014, msg: "app secret invalid"})
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if n := len(r.tokens); n == 0 || r.tokens[n-1].until.Sub(now) < renewal {
		r.tokens = append(r.tokens[max(0, n-1):], issued{value: r.next("t-"), until: now.Add(lifetime)})
	}
	t := r.tokens[len(r.tokens)-1]
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]any{"code": 0, "msg": "ok", "tenant_access_token": t.value, "expire": int(t.until.Sub(now) / time.Second)})
}

// Revoke ends all access tokens before their time, as a new app secret does.
func (r *Room) Revoke() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tokens = nil
}

func (r *Room) authorised(req *http.Request) *fault {
	token, found := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if !found || token == "" {
		return &fault{status: http.StatusBadRequest, code: 99991661, msg: "Missing access token for authorization. Please make a request with token attached."}
	}
	for _, t := range r.tokens {
		if t.value == token && r.now().Before(t.until) {
			return nil
		}
	}
	return &fault{status: http.StatusBadRequest, code: 99991663, msg: "Invalid access token for authorization. Please make a request with valid token."}
}

// limited counts the app's calls: 50 in a second and 1000 in a minute.
func (r *Room) limited() *fault {
	now := r.now()
	if r.calls.count(now, time.Second) >= 50 || r.calls.count(now, time.Minute) >= 1000 {
		return &fault{status: http.StatusTooManyRequests, code: 99991400, msg: "request trigger frequency limit", after: 1}
	}
	r.calls.add(now, time.Minute)
	return nil
}

// window is when something happened of late.
type window struct{ times []time.Time }

func (w *window) count(now time.Time, span time.Duration) int {
	n := 0
	for _, t := range w.times {
		if now.Sub(t) < span {
			n++
		}
	}
	return n
}

// add notes one more, and forgets what is older than the longest span that is asked for.
func (w *window) add(now time.Time, longest time.Duration) {
	for len(w.times) > 0 && now.Sub(w.times[0]) >= longest {
		w.times = w.times[1:]
	}
	w.times = append(w.times, now)
}
