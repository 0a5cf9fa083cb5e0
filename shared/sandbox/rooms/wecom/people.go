package wecom

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

const (
	callback  = "/chat/wecom"
	patience  = 5 * time.Second // then WeCom cuts the connection
	maxAnswer = 1 << 20         // bytes
	maxText   = 2048            // bytes; WeCom cuts what is longer
)

// Say lets a member type to the app.
func (r *Room) Say(ctx context.Context, s rooms.Saying) (rooms.Heard, error) {
	if err := r.mayAct(s.Person, s.Channel); err != nil {
		return rooms.Heard{}, err
	}
	if s.Thread != "" {
		return rooms.Heard{}, errors.New("wecom has no threads")
	}
	r.mu.Lock()
	n := r.next()
	id := strconv.FormatInt(7_000_000_000_000_000_000+n, 10)
	at := r.now()
	r.add(&post{id: id, from: s.Person, only: s.Person, reached: map[string]bool{s.Person: true}, shown: shown{text: s.Text}, at: at})
	r.mu.Unlock()
	heard, answer, err := r.call(ctx, s.Person, event(s.Person, at, "text", "<Content>"+quoted(s.Text)+"</Content><MsgId>"+id+"</MsgId>"))
	if err != nil || answer.MsgType == "" {
		return heard, err
	}
	if answer.MsgType != "text" {
		return heard, fmt.Errorf("passive reply: %q is no answer to a text here", answer.MsgType)
	}
	heard.Text = r.told(s.Person, answer.Content)
	return heard, nil
}

// told shows a passive reply, which that member alone sees.
func (r *Room) told(person, text string) string {
	for len(text) > maxText {
		text = text[:len(text)-1]
	}
	text = strings.ToValidUTF8(text, "")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(&post{id: fmt.Sprint("passive_", r.next()), only: person, reached: map[string]bool{person: true}, shown: shown{text: text}, at: r.now()})
	return text
}

// Press lets a member press a button of a card. Message is its id, or the task_id that it was sent with.
func (r *Room) Press(ctx context.Context, p rooms.Pressing) (rooms.Heard, error) {
	if err := r.mayAct(p.Person, p.Channel); err != nil {
		return rooms.Heard{}, err
	}
	card, key, err := r.button(p)
	if err != nil {
		return rooms.Heard{}, err
	}
	r.mu.Lock()
	response := r.newCode(card)
	at := r.now()
	r.mu.Unlock()
	more := "<Event><![CDATA[template_card_event]]></Event><EventKey>" + quoted(key) + "</EventKey><TaskId>" + quoted(card.task) +
		"</TaskId><CardType><![CDATA[button_interaction]]></CardType><ResponseCode>" + quoted(response) + "</ResponseCode>"
	heard, answer, err := r.call(ctx, p.Person, event(p.Person, at, "event", more))
	if err != nil || answer.MsgType == "" {
		return heard, err
	}
	if answer.MsgType != "update_button" || answer.Button.ReplaceName == "" {
		return heard, fmt.Errorf("passive reply: %q is no answer to a card here", answer.MsgType)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	card.done[p.Person] = answer.Button.ReplaceName
	heard.Text = answer.Button.ReplaceName
	return heard, nil
}

// button finds what is pressed, among what that member can press.
func (r *Room) button(p rooms.Pressing) (*post, string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.posts, func(one *post) bool {
		return !one.robot && one.reached[p.Person] && (one.id == p.Message || one.task != "" && one.task == p.Message)
	})
	if i < 0 {
		return nil, "", errors.New("there is no such message in this conversation")
	}
	card := r.posts[i]
	switch {
	case p.Button < 0 || p.Button >= len(card.shown.buttons):
		return nil, "", errors.New("the message has no such button")
	case card.done[p.Person] != "":
		return nil, "", errors.New("the button has been pressed: it cannot be pressed again")
	case card.shown.buttons[p.Button].URL != "":
		return nil, "", errors.New("the button only opens a page")
	}
	return card, card.shown.keys[p.Button], nil
}

// newCode makes a response code, and forgets the oldest when there are too many.
func (r *Room) newCode(p *post) string {
	for text, c := range r.codes {
		if len(r.codes) > kept && (c.used || r.now().Sub(c.at) > codeLife) || len(r.codes) > 4*kept {
			delete(r.codes, text)
		}
	}
	text := fmt.Sprint("rc_", r.next())
	r.codes[text] = &code{post: p, at: r.now()}
	return text
}

func (r *Room) mayAct(person, channel string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.known(person):
		return fmt.Errorf("%q is no member of the company", person)
	case channel != address(everybody) && channel != address(person):
		return fmt.Errorf("members talk to the app in %s, one to one; nothing that they say in a group reaches us", address(everybody))
	}
	return nil
}

// event is a message from a member, before it is encrypted.
func event(person string, at time.Time, kind, more string) string {
	return fmt.Sprintf("<xml><ToUserName>%s</ToUserName><FromUserName>%s</FromUserName><CreateTime>%d</CreateTime><MsgType>%s</MsgType>%s<AgentID>%d</AgentID></xml>",
		quoted(corp), quoted(person), at.Unix(), quoted(kind), more, agent)
}

// quoted is CDATA; what would end it is split between two.
func quoted(s string) string {
	return "<![CDATA[" + strings.ReplaceAll(s, "]]>", "]]]]><![CDATA[>") + "]]>"
}

// call encrypts, signs and delivers a message, once, and reads the passive reply.
func (r *Room) call(ctx context.Context, person, plain string) (rooms.Heard, passive, error) {
	r.mu.Lock()
	text := sealed(plain, r.next())
	q := r.query(text)
	r.mu.Unlock()
	body := "<xml><ToUserName>" + quoted(corp) + "</ToUserName><Encrypt>" + quoted(text) + "</Encrypt><AgentID>" + quoted(strconv.Itoa(agent)) + "</AgentID></xml>"
	heard, answer, err := r.deliver(ctx, http.MethodPost, q, []byte(body))
	if err != nil || heard.Status != http.StatusOK {
		return heard, passive{}, err
	}
	p, err := readPassive(answer, person)
	return heard, p, err
}

// Verify does what the console does when the callback's address is saved: it sends an encrypted number and wants it back in plain.
func (r *Room) Verify(ctx context.Context) error {
	r.mu.Lock()
	want := strconv.FormatInt(1_616_140_317_555_161_061+r.next(), 10)
	text := sealed(want, r.next())
	q := r.query(text)
	r.mu.Unlock()
	q.Set("echostr", text)
	heard, answer, err := r.deliver(ctx, http.MethodGet, q, nil)
	if err != nil {
		return err
	}
	if heard.Status != http.StatusOK || string(answer) != want {
		return fmt.Errorf("the callback's address does not pass the check: status %d, %d bytes", heard.Status, len(answer))
	}
	return nil
}

func (r *Room) query(text string) url.Values {
	ts, nonce := strconv.FormatInt(r.now().Unix(), 10), strconv.FormatInt(1_000_000_000+r.next()*7919, 10)
	return url.Values{"msg_signature": {signed(ts, nonce, text)}, "timestamp": {ts}, "nonce": {nonce}}
}

func (r *Room) deliver(ctx context.Context, method string, q url.Values, body []byte) (rooms.Heard, []byte, error) {
	r.mu.Lock()
	to := r.to
	r.mu.Unlock()
	if to == nil {
		return rooms.Heard{}, nil, errors.New("the room is not connected")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request := func(ctx context.Context) (*http.Request, error) {
		req, err := http.NewRequestWithContext(ctx, method, "http://localhost"+callback+"?"+q.Encode(), bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		req.RemoteAddr, req.RequestURI = "127.0.0.1:1", req.URL.RequestURI()
		req.Header.Set("User-Agent", "Mozilla/4.0")
		if method == http.MethodPost {
			req.Header.Set("Content-Type", "text/xml")
		}
		return req, nil
	}
	req, err := request(ctx)
	if err != nil {
		return rooms.Heard{}, nil, err
	}
	again, err := request(context.WithoutCancel(ctx))
	if err != nil {
		return rooms.Heard{}, nil, err
	}
	start, w := r.now(), &recorder{header: http.Header{}}
	to.ServeHTTP(w, req)
	w.WriteHeader(http.StatusOK)
	return rooms.Heard{Status: w.status, Took: r.now().Sub(start), Request: again, Body: body}, w.body.Bytes(), nil
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the answer's headers.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader keeps the first status.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write keeps the body, up to a limit.
func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.body.Len()+len(b) > maxAnswer {
		return 0, io.ErrShortWrite
	}
	return w.body.Write(b)
}
