package slack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// answer is what our side replied.
type answer struct {
	kind string
	body []byte
}

// send signs a body and delivers it, once: Slack tries events again by itself, tests do that with Heard. The room is unlocked while
// the other side works, because it may call the API meanwhile.
func (r *Room) send(ctx context.Context, kind string, body []byte) (rooms.Heard, answer, error) {
	if r.to == nil {
		return rooms.Heard{}, answer{}, errors.New("nothing is connected that could hear it")
	}
	at, to := r.now(), r.to
	ts := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(m, "v0:%s:%s", ts, body)
	sum := "v0=" + hex.EncodeToString(m.Sum(nil))
	request := func() (*http.Request, error) {
		q, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://firedrill.example/chat/slack", bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		q.RequestURI = "/chat/slack" // as a server has it
		q.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
		q.Header.Set("Accept-Encoding", "gzip,deflate")
		q.Header.Set("Accept", "application/json,*/*")
		q.Header.Set("Content-Type", kind)
		q.Header.Set("X-Slack-Request-Timestamp", ts)
		q.Header.Set("X-Slack-Signature", sum)
		return q, nil
	}
	first, err := request()
	if err != nil {
		return rooms.Heard{}, answer{}, err
	}
	kept, err := request()
	if err != nil {
		return rooms.Heard{}, answer{}, err
	}
	w := &recorder{header: http.Header{}}
	func() {
		r.mu.Unlock()
		defer r.mu.Lock()
		to.ServeHTTP(w, first)
	}()
	if w.status == 0 {
		w.status = http.StatusOK
	}
	heard := rooms.Heard{Status: w.status, Took: r.now().Sub(at), Request: kept, Body: body}
	return heard, answer{kind: w.header.Get("Content-Type"), body: w.body.Bytes()}, nil
}

// recorder keeps a reply.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.body.Len()+len(b) > maxAnswer {
		return 0, errors.New("the answer is too long for Slack")
	}
	return w.body.Write(b)
}

// trigger makes a trigger_id.
func (r *Room) trigger() string {
	n := r.next()
	sum := sha256.Sum256([]byte(strconv.FormatInt(n, 10)))
	return fmt.Sprintf("%d.%d.%s", 1000000+n, r.now().Unix(), hex.EncodeToString(sum[:16]))
}

// event is a message as the Events API tells it (https://docs.slack.dev/apis/events-api): a mention in a channel, a message in a
// direct one.
func (r *Room) event(c *channel, m *message) map[string]any {
	e := map[string]any{
		"type": "app_mention", "user": m.from, "text": m.text, "ts": m.ts, "channel": c.id, "event_ts": m.ts, "team": team,
		"client_msg_id": fmt.Sprintf("00000000-0000-4000-8000-%012d", r.next()),
		"blocks":        []any{map[string]any{"type": "rich_text", "block_id": "x", "elements": []any{map[string]any{"type": "rich_text_section", "elements": []any{map[string]any{"type": "text", "text": m.text}}}}}},
	}
	if c.person != "" {
		e["type"], e["channel_type"] = "message", "im"
	}
	if m.thread != "" {
		e["thread_ts"] = m.thread
	}
	id := fmt.Sprintf("Ev0%08d", r.next())
	return map[string]any{
		"token": oldToken, "team_id": team, "context_team_id": team, "context_enterprise_id": nil, "api_app_id": app, "event": e, "type": "event_callback",
		"event_id": id, "event_time": m.at.Unix(), "is_ext_shared_channel": false, "event_context": "4-" + id,
		"authorizations": []any{map[string]any{"enterprise_id": nil, "team_id": team, "user_id": bot, "is_bot": true, "is_enterprise_install": false}},
	}
}

// action is a press (https://docs.slack.dev/reference/interaction-payloads/block_actions-payload).
func (r *Room) action(c *channel, m *message, p rooms.Person, button int) map[string]any {
	container := map[string]any{"type": "message", "message_ts": m.ts, "channel_id": c.id, "is_ephemeral": m.private != ""}
	if thread := c.threaded(m); thread != "" {
		container["thread_ts"] = thread
	}
	out := map[string]any{
		"type": "block_actions", "user": map[string]any{"id": p.ID, "username": p.Name, "name": p.Name, "team_id": team}, "api_app_id": app, "token": oldToken,
		"container": container, "trigger_id": r.trigger(), "team": map[string]any{"id": team, "domain": domain}, "enterprise": nil, "is_enterprise_install": false,
		"channel": map[string]any{"id": c.id, "name": c.name}, "state": map[string]any{"values": map[string]any{}},
		"response_url": r.hook(hook{channel: c.id, user: p.ID, ts: m.ts}), "actions": []any{r.pressed(m, button)},
	}
	if m.private == "" {
		out["message"] = r.told(c, m)
	}
	return out
}

func (r *Room) pressed(m *message, button int) map[string]any {
	now := r.now()
	out := map[string]any{"type": "button", "action_ts": fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000)}
	for _, b := range m.blocks {
		if b.Type != "actions" {
			continue
		}
		if button >= len(b.Elements) {
			button -= len(b.Elements)
			continue
		}
		e := b.Elements[button]
		out["action_id"], out["block_id"] = e.ID, b.ID
		out["text"] = map[string]any{"type": "plain_text", "text": e.plain(), "emoji": true}
		if e.Value != "" {
			out["value"] = e.Value
		}
		if e.Style != nil {
			out["style"] = e.Style
		}
		if e.URL != "" {
			out["url"] = e.URL
		}
		break
	}
	return out
}
