package feishu

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// serveHook is the custom bot. It says what is wrong in replies of status 200.
func (r *Room) serveHook(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxHookBytes+1))
	r.mu.Lock()
	trouble := r.troubled()
	f := trouble.fault(true)
	if f == nil && (err != nil || len(body) > maxHookBytes) {
		f = &fault{status: http.StatusOK, code: 9499, msg: "Bad Request"}
	}
	if f == nil {
		f = r.hooked(req.PathValue("id"), body)
	}
	r.mu.Unlock()
	if trouble.Kind == "lost" {
		panic(http.ErrAbortHandler) // the message is taken, the connection ends
	}
	if f != nil {
		write(w, nil, f)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`) // nobody to tell
}

func (r *Room) hooked(id string, body []byte) *fault {
	var q struct {
		Timestamp string          `json:"timestamp"`
		Sign      string          `json:"sign"`
		Kind      string          `json:"msg_type"`
		Card      json.RawMessage `json:"card"`
		Content   json.RawMessage `json:"content"`
	}
	in200 := func(code int, msg string) *fault { return &fault{status: http.StatusOK, code: code, msg: msg} }
	switch {
	case id != hookID:
		return in200(19001, "param invalid: incoming webhook access token invalid")
	case json.Unmarshal(body, &q) != nil:
		return in200(9499, "Bad Request")
	case !hookSigned(q.Timestamp, q.Sign, r.now()):
		return in200(19021, "sign match fail or timestamp is not within one hour from current time")
	}
	now := r.now()
	if r.hook.count(now, time.Second) >= 5 || r.hook.count(now, time.Minute) >= 100 {
		return in200(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")
	}
	m := &message{chat: group, from: hookName}
	content := q.Content
	if q.Kind == "interactive" {
		content = q.Card
	}
	if f := m.fill(q.Kind, string(content)); f != nil {
		return in200(9499, f.msg)
	}
	r.hook.add(now, time.Minute)
	r.add(m)
	return nil
}

func hookSigned(timestamp, sign string, now time.Time) bool {
	n, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(n, 0)).Abs() > time.Hour {
		return false
	}
	m := hmac.New(sha256.New, []byte(timestamp+"\n"+hookSecret))
	return hmac.Equal([]byte(base64.StdEncoding.EncodeToString(m.Sum(nil))), []byte(sign))
}
