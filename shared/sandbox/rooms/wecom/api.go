package wecom

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	accessLife = 2 * time.Hour
	codeLife   = 72 * time.Hour
	maxBody    = 1 << 20
	apiMinute  = 10000 // calls of one interface a minute
)

// fault is an error code in a reply of 200.
type fault struct {
	code int
	text string
}

// Error returns WeCom's words.
func (f *fault) Error() string { return f.text }

func bad(code int, text string) error { return &fault{code, text} }

// API serves WeCom's API.
func (r *Room) API() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/cgi-bin/gettoken", r.handle(r.getToken))
	mux.HandleFunc("POST /cgi-bin/message/send", r.handle(r.withToken(r.send)))
	mux.HandleFunc("POST /cgi-bin/message/update_template_card", r.handle(r.withToken(r.updateCard)))
	mux.HandleFunc("POST /cgi-bin/webhook/send", r.handle(r.sendByRobot))
	return mux
}

type handler func(req *http.Request, body []byte) (map[string]any, error)

// handle reads a request, makes trouble where it is wanted, and answers as WeCom does: 200 whatever happened.
func (r *Room) handle(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
		if err != nil {
			answer(w, nil, bad(45002, "content size out of limit"))
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		kind, after := r.nextTrouble()
		switch {
		case kind == "down":
			http.Error(w, "503 Service Temporarily Unavailable", http.StatusServiceUnavailable)
			return
		case kind == "throttled" && after > 0:
			w.Header().Set("Retry-After", fmt.Sprint(int(after.Seconds())))
			http.Error(w, "429 Too Many Requests", http.StatusTooManyRequests)
			return
		case kind == "throttled" || !r.within("api "+req.URL.Path, apiMinute, time.Minute):
			answer(w, nil, bad(45009, "api freq out of limit"))
			return
		case kind == "error":
			answer(w, nil, bad(-1, "system error"))
			return
		}
		out, err := h(req, body)
		if kind == "lost" {
			panic(http.ErrAbortHandler) // what was asked is done, and the connection ends
		}
		answer(w, out, err)
	}
}

func (r *Room) nextTrouble() (kind string, after time.Duration) {
	if r.trouble.Times <= 0 {
		return "", 0
	}
	r.trouble.Times--
	return r.trouble.Kind, r.trouble.After
}

func answer(w http.ResponseWriter, out map[string]any, err error) {
	if out == nil {
		out = map[string]any{}
	}
	out["errcode"], out["errmsg"] = 0, "ok"
	if f, isFault := err.(*fault); isFault {
		const words = "%s, hint: [1700000000_1], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e=%d"
		out = map[string]any{"errcode": f.code, "errmsg": fmt.Sprintf(words, f.text, f.code)}
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(out) //nolint:errcheck // nobody is left to tell
}

func (r *Room) getToken(req *http.Request, _ []byte) (map[string]any, error) {
	q := req.URL.Query()
	switch {
	case q.Get("corpid") == "":
		return nil, bad(41002, "corpid missing")
	case q.Get("corpsecret") == "":
		return nil, bad(41004, "corpsecret missing")
	case q.Get("corpid") != corp:
		return nil, bad(40013, "invalid corpid")
	case q.Get("corpsecret") != appSecret:
		return nil, bad(40001, "invalid credential")
	}
	now := r.now()
	if !now.Before(r.access.until) {
		sum := sha256.Sum256(fmt.Appendf(nil, "access %d %d", r.next(), now.UnixNano()))
		r.access = pass{hex.EncodeToString(sum[:]), now.Add(accessLife)}
	}
	return map[string]any{"access_token": r.access.token, "expires_in": int(r.access.until.Sub(now).Seconds())}, nil
}

func (r *Room) withToken(h handler) handler {
	return func(req *http.Request, body []byte) (map[string]any, error) {
		given := req.URL.Query().Get("access_token")
		switch {
		case given == "":
			return nil, bad(41001, "access_token missing")
		case given != r.access.token:
			return nil, bad(40014, "invalid access_token")
		case !r.now().Before(r.access.until):
			return nil, bad(42001, "access_token expired")
		}
		return h(req, body)
	}
}

// message is what message/send and webhook/send take.
type message struct {
	ToUser   string   `json:"touser"`
	ToParty  string   `json:"toparty"`
	ToTag    string   `json:"totag"`
	Type     string   `json:"msgtype"`
	Agent    *int     `json:"agentid"`
	Text     *content `json:"text"`
	Markdown *content `json:"markdown"`
	Card     *card    `json:"template_card"`
	Check    int      `json:"enable_duplicate_check"`
	Interval int      `json:"duplicate_check_interval"`
}

type content struct {
	Content   string   `json:"content"`
	Mentioned []string `json:"mentioned_list"`
}

func (r *Room) send(_ *http.Request, body []byte) (map[string]any, error) {
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, bad(47001, "data format error")
	}
	if m.Agent == nil {
		return nil, bad(41011, "missing agentid")
	}
	if *m.Agent != agent {
		return nil, bad(301002, "not allow operate another agent with this accesstoken")
	}
	people, wrong, err := r.recipients(m)
	if err != nil {
		return nil, err
	}
	seen, err := m.check(2048)
	if err != nil {
		return nil, err
	}
	if old, repeated := r.repeated(m, body); repeated {
		return map[string]any{"msgid": old}, nil
	}
	p := &post{id: fmt.Sprint("msg_", r.next()), reached: map[string]bool{}, shown: seen, at: r.now(), done: map[string]string{}}
	if m.Card != nil {
		if p.task = m.Card.TaskID; p.task != "" && r.tasks[p.task] {
			return nil, bad(40058, "invalid Request Parameter: task_id is used already")
		}
	}
	for _, id := range people { // what is more than a member gets is dropped, and nobody is told
		p.reached[id] = r.within("minute "+id, 30, time.Minute) && r.within("hour "+id, 1000, time.Hour)
	}
	if len(people) == 1 && m.ToUser != everybody {
		p.only = people[0]
	}
	r.add(p)
	r.remember(m, body, p)
	out := map[string]any{"msgid": p.id, "invaliduser": strings.ToLower(strings.Join(wrong, "|"))}
	if m.Card != nil && len(seen.keys) > 0 {
		out["response_code"] = r.newCode(p)
	}
	return out, nil
}

// repeated finds the same message within its interval, which is at most four hours.
func (r *Room) repeated(m message, body []byte) (string, bool) {
	if m.Check != 1 {
		return "", false
	}
	span := time.Duration(min(max(m.Interval, 0), 4*60*60)) * time.Second
	if m.Interval == 0 {
		span = 30 * time.Minute
	}
	old, found := r.sent[string(body)]
	return old.id, found && r.now().Sub(old.at) < span
}

func (r *Room) remember(m message, body []byte, p *post) {
	for text, old := range r.sent {
		if r.now().Sub(old.at) > 4*time.Hour || len(r.sent) > 4*kept {
			delete(r.sent, text)
		}
	}
	if m.Check == 1 {
		r.sent[string(body)] = receipt{p.id, p.at}
	}
	if p.task == "" {
		return
	}
	for id := range r.tasks {
		if len(r.tasks) > 4*kept {
			delete(r.tasks, id)
		}
	}
	r.tasks[p.task] = true
}

// recipients finds whom a message is for. The company has one department, 1, and one tag, 1, with everybody in them.
func (r *Room) recipients(m message) (people, wrong []string, err error) {
	if m.ToUser == "" && m.ToParty == "" && m.ToTag == "" {
		return nil, nil, bad(82001, "All touser & toparty & totag invalid")
	}
	all := m.ToUser == everybody
	for _, ids := range []string{m.ToParty, m.ToTag} {
		for id := range strings.SplitSeq(ids, "|") {
			all = all || id == "1"
		}
	}
	for _, p := range r.People() {
		named := false
		for id := range strings.SplitSeq(m.ToUser, "|") {
			named = named || strings.EqualFold(id, p.ID)
		}
		if all || named {
			people = append(people, p.ID)
		}
	}
	for id := range strings.SplitSeq(m.ToUser, "|") {
		if id != "" && id != everybody && !r.known(strings.ToLower(id)) {
			wrong = append(wrong, id)
		}
	}
	if len(people) == 0 {
		return nil, nil, bad(81013, "user & party & tag all invalid")
	}
	return people, wrong, nil
}

func (r *Room) sendByRobot(req *http.Request, body []byte) (map[string]any, error) {
	if req.URL.Query().Get("key") != robotKey {
		return nil, bad(93000, "invalid webhook url")
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, bad(47001, "data format error")
	}
	if m.Card != nil && m.Card.Type != "text_notice" && m.Card.Type != "news_notice" {
		return nil, bad(40058, "invalid Request Parameter: card_type")
	}
	seen, err := m.check(4096)
	if err != nil {
		return nil, err
	}
	if !r.within("robot", 20, time.Minute) {
		return nil, bad(45009, "api freq out of limit")
	}
	seen.text = r.mentions(seen.text)
	r.add(&post{id: fmt.Sprint("robot_", r.next()), robot: true, shown: seen, at: r.now()})
	return nil, nil
}

// mentions shows <@userid> as the name, as a group does.
func (r *Room) mentions(text string) string {
	for _, p := range r.People() {
		text = strings.ReplaceAll(text, "<@"+p.ID+">", "@"+p.Name)
	}
	return text
}

func (r *Room) updateCard(_ *http.Request, body []byte) (map[string]any, error) {
	var u struct {
		Users  []string `json:"userids"`
		All    int      `json:"atall"`
		Agent  int      `json:"agentid"`
		Code   string   `json:"response_code"`
		Button struct {
			Name string `json:"replace_name"`
		} `json:"button"`
	}
	if err := json.Unmarshal(body, &u); err != nil {
		return nil, bad(47001, "data format error")
	}
	c := r.codes[u.Code]
	switch {
	case u.Agent != agent:
		return nil, bad(301002, "not allow operate another agent with this accesstoken")
	case c == nil || c.used || r.now().Sub(c.at) > codeLife:
		return nil, bad(40058, "invalid Request Parameter: response_code")
	case u.Button.Name == "":
		return nil, bad(40058, "invalid Request Parameter: button.replace_name")
	}
	c.used = true
	for _, p := range r.People() {
		if u.All == 1 || slices.Contains(u.Users, p.ID) {
			c.post.done[p.ID] = u.Button.Name
		}
	}
	return nil, nil
}
