package dingtalk

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

const (
	maxBody    = 1 << 20
	tokenLife  = 2 * time.Hour
	perSecond  = 20               // calls of an app to one API: https://open.dingtalk.com/document/development/how-to-process-api-throttling-on-the-dingtalk-server
	perMinute  = 20               // messages of a robot to a group
	blockedFor = 10 * time.Minute // a robot that sends more
)

// reply is an answer of the API.
type reply struct {
	status int
	header map[string]string
	body   any
}

// refuse is an error of api.dingtalk.com.
func refuse(status int, code, message string) reply {
	return reply{status: status, body: map[string]string{"code": code, "message": message, "requestid": "sandbox"}}
}

// fail is an error of oapi.dingtalk.com: the status says nothing.
func fail(code int, message string) reply {
	return reply{status: http.StatusOK, body: map[string]any{"errcode": code, "errmsg": message}}
}

// API is api.dingtalk.com and oapi.dingtalk.com at once.
func (r *Room) API() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1.0/oauth2/accessToken", write(r.accessToken))
	mux.HandleFunc("POST /v1.0/robot/groupMessages/send", write(r.troubled(r.app(r.sendGroup))))
	mux.HandleFunc("POST /v1.0/robot/oToMessages/batchSend", write(r.troubled(r.app(r.sendDirect))))
	mux.HandleFunc("POST /v1.0/card/instances/createAndDeliver", write(r.troubled(r.app(r.createCard))))
	mux.HandleFunc("PUT /v1.0/card/instances", write(r.troubled(r.app(r.updateCard))))
	mux.HandleFunc("/robot/send", write(r.troubledOld(r.sendCustom)))
	mux.HandleFunc("/robot/sendBySession", write(r.troubledOld(r.sendSession)))
	mux.HandleFunc("/", write(func(*http.Request, []byte) reply {
		return refuse(http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
	}))
	return mux
}

// handle answers one call.
type handle func(req *http.Request, body []byte) reply

func write(h handle) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(io.LimitReader(req.Body, maxBody))
		if err != nil {
			return // the caller has gone
		}
		out := h(req, body)
		raw, err := json.Marshal(out.body)
		if err != nil {
			raw = []byte("{}")
		}
		w.Header().Set("Content-Type", "application/json")
		for k, v := range out.header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(out.status)
		_, _ = w.Write(raw)
	}
}

// next takes one failure of those that were asked for.
func (r *Room) next() rooms.Trouble {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.trouble.Times <= 0 {
		return rooms.Trouble{}
	}
	r.trouble.Times--
	return r.trouble
}

// troubled is an API of api.dingtalk.com.
func (r *Room) troubled(h handle) handle {
	return func(req *http.Request, body []byte) reply {
		switch t := r.next(); t.Kind {
		case "throttled":
			out := refuse(http.StatusForbidden, "Forbidden.AccessDenied.QpsLimitForApi", "api qps limit")
			if t.After > 0 {
				out.status, out.header = http.StatusTooManyRequests, retryAfter(t.After)
			}
			return out
		case "error":
			return refuse(http.StatusOK, "system.err", "system error")
		case "down":
			return reply{status: http.StatusServiceUnavailable}
		case "lost":
			h(req, body)
			return reply{status: http.StatusGatewayTimeout}
		}
		return h(req, body)
	}
}

// troubledOld is an API of oapi.dingtalk.com.
func (r *Room) troubledOld(h handle) handle {
	return func(req *http.Request, body []byte) reply {
		switch t := r.next(); t.Kind {
		case "throttled":
			out := fail(130101, "send too fast, exceed 20 times per minute")
			if t.After > 0 {
				out.status, out.header = http.StatusTooManyRequests, retryAfter(t.After)
			}
			return out
		case "error":
			return fail(-1, "系统繁忙")
		case "down":
			return reply{status: http.StatusServiceUnavailable}
		case "lost":
			h(req, body)
			return reply{status: http.StatusGatewayTimeout}
		}
		if req.Method != http.MethodPost {
			return fail(43002, "需要POST请求")
		}
		return h(req, body)
	}
}

func retryAfter(d time.Duration) map[string]string {
	return map[string]string{"Retry-After": strconv.Itoa(int(d.Seconds()))}
}

// accessToken gives the app its token: https://open.dingtalk.com/document/orgapp/obtain-the-access_token-of-an-internal-app.
func (r *Room) accessToken(_ *http.Request, body []byte) reply {
	var in struct{ AppKey, AppSecret string }
	if json.Unmarshal(body, &in) != nil {
		return refuse(http.StatusBadRequest, "Invalidbody", "Specified parameter body is not valid. JSON parsing error")
	}
	if in.AppKey != appKey || in.AppSecret != appSecret {
		return refuse(http.StatusBadRequest, "invalidClientIdOrSecret", "无效的clientId或者clientSecret")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for t, until := range r.access {
		if !r.now().Before(until) {
			delete(r.access, t)
		}
	}
	if len(r.access) >= maxNumber {
		clear(r.access)
	}
	token := r.id("sandbox")
	r.access[token] = r.now().Add(tokenLife)
	return reply{status: http.StatusOK, body: map[string]any{"accessToken": token, "expireIn": int(tokenLife.Seconds())}}
}

// app checks what all APIs of an app check.
func (r *Room) app(h handle) handle {
	return func(req *http.Request, body []byte) reply {
		r.mu.Lock()
		until, ok := r.access[req.Header.Get("x-acs-dingtalk-access-token")]
		ok = ok && r.now().Before(until)
		fast := ok && !r.count("api "+req.URL.Path, perSecond, time.Second)
		r.mu.Unlock()
		switch {
		case !ok:
			return refuse(http.StatusBadRequest, "InvalidAuthentication", "不合法的access_token")
		case fast:
			return refuse(http.StatusForbidden, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", "appkey api qps limit")
		case !json.Valid(body):
			return refuse(http.StatusBadRequest, "Invalidbody", "Specified parameter body is not valid. JSON parsing error")
		}
		return h(req, body)
	}
}

// count reports whether one more is within the limit, and counts it if so; the lock is held.
func (r *Room) count(key string, limit int, within time.Duration) bool {
	now := r.now()
	var recent []time.Time
	for _, at := range r.counts[key] {
		if now.Sub(at) < within {
			recent = append(recent, at)
		}
	}
	if len(recent) >= limit {
		r.counts[key] = recent
		return false
	}
	r.counts[key] = append(recent, now)
	return true
}

// robotMay reports whether a robot may send one more, and blocks one that sends too much; the lock is held.
func (r *Room) robotMay(key string) (ok, blocked bool) {
	if r.now().Before(r.blocked[key]) {
		return false, true
	}
	if r.count("robot "+key, perMinute, time.Minute) {
		return true, false
	}
	r.blocked[key] = r.now().Add(blockedFor)
	return false, false
}
