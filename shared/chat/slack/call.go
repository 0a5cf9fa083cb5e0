package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// throttledFor is how long a channel is left alone that takes no more and does not say for how long.
const throttledFor = 30 * time.Second

// request is the body of the methods that we call.
type request struct {
	Channel string  `json:"channel"`
	User    string  `json:"user,omitempty"`
	TS      string  `json:"ts,omitempty"`
	Thread  string  `json:"thread_ts,omitempty"`
	Text    string  `json:"text"`
	Blocks  []block `json:"blocks"`
	Links   *bool   `json:"unfurl_links,omitempty"`
	Media   *bool   `json:"unfurl_media,omitempty"`
}

// reply is what Slack answers, nearly always with status 200.
type reply struct {
	OK      bool   `json:"ok"`
	Error   string `json:"error"`
	Needed  string `json:"needed"` // the scope, with missing_scope
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

// errToken marks a token that Slack does not take (any more).
var errToken = errors.New("the token")

// api calls one method. Where Slack does not take the newest token, the next one is tried: nothing was done with the first.
func (s *Sender) api(ctx context.Context, method, team string, call wire.Call, in request) (reply, error) {
	all := s.tokens.of(team)
	if len(all) == 0 {
		err := fmt.Errorf("%s: no token for this workspace: add %s=xoxb-… to %s", call.What, team, envTokens)
		return reply{}, &chat.Error{Code: chat.Denied, Err: err}
	}
	call.URL = s.endpoint + "/api/" + method
	var out reply
	var err error
	for _, t := range all {
		out = reply{}
		call.Header = http.Header{"Authorization": {"Bearer " + t.text}}
		var res wire.Result
		if res, err = s.wire.JSON(ctx, call, in, &out); err != nil {
			return reply{}, err
		}
		if err = s.failure(call, res.Header, out); !errors.Is(err, errToken) {
			return out, err
		}
		call.Rate = wire.Rate{} // it is the same message
	}
	return out, err
}

// failure makes the error of a reply that is none.
func (s *Sender) failure(call wire.Call, h http.Header, out reply) error {
	if out.OK {
		return nil
	}
	f := classify(out.Error)
	err := fmt.Errorf("%s: it answered %s%s", call.What, name(out.Error), f.fix)
	if out.Error == "missing_scope" && name(out.Needed) == out.Needed {
		err = fmt.Errorf("%w: the app needs %s", err, out.Needed)
	}
	switch {
	case f.token:
		return &chat.Error{Code: chat.Denied, Err: tokenError{err}}
	case f.code == chat.Throttled:
		after := wire.RetryAfter(h.Get("Retry-After"), s.now())
		if after == 0 {
			after = throttledFor
		}
		return s.wire.Throttled(call, after, err)
	}
	return &chat.Error{Code: f.code, Err: err}
}

// tokenError is errToken with a text of its own.
type tokenError struct{ error }

// Is reports that it is errToken.
func (tokenError) Is(target error) bool { return target == errToken }

// name returns an error code as it may be shown: what is not one of Slack's words is not repeated.
func name(code string) string {
	if code == "" || len(code) > 64 || strings.ContainsFunc(code, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("_:.,", r)
	}) {
		return "an error that it does not name"
	}
	return code
}

// fault is what an error code means.
type fault struct {
	code  chat.Code
	token bool
	fix   string
}

// classify reads an error code (https://docs.slack.dev/reference/methods/chat.postMessage, chat.update and chat.postEphemeral).
func classify(code string) fault {
	switch code {
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return fault{code: chat.Throttled}
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired":
		return fault{code: chat.Denied, token: true, fix: ": put the app's current bot token into " + envTokens}
	case "not_in_channel":
		return fault{code: chat.Denied, fix: ": invite the app into the channel: /invite @firedrill"}
	case "channel_not_found":
		return fault{code: chat.Denied, fix: ": check the channel's id, and invite the app where the channel is private"}
	case "user_not_in_channel", "no_permission", "missing_scope", "is_archived", "access_denied", "accesslimited", "ekm_access_denied",
		"enterprise_is_restricted", "org_login_required", "team_access_not_granted", "not_allowed_token_type", "method_deprecated",
		"cant_update_message", "edit_window_closed", "messages_tab_disabled", "as_user_not_supported", "two_factor_setup_required",
		"team_not_found", "user_not_found", "cannot_reply_to_message", "thread_locked":
		return fault{code: chat.Denied}
	case "msg_too_long", "msg_blocks_too_long", "no_text", "invalid_blocks", "invalid_blocks_format", "message_not_found", "too_many_attachments",
		"invalid_arguments", "invalid_arg_name", "invalid_array_arg", "invalid_charset", "invalid_form_data", "invalid_json", "json_not_object",
		"invalid_post_type", "missing_post_type", "thread_not_found", "cannot_parse_attachment", "unknown_method":
		return fault{code: chat.Invalid}
	}
	if strings.HasPrefix(code, "restricted_action") {
		return fault{code: chat.Denied}
	}
	return fault{code: chat.Unavailable} // internal_error, fatal_error, service_unavailable, request_timeout, team_added_to_org and what is new
}

// respond posts to a reply URL. It answers "ok", or JSON. What it does not take, whatever the reason, can be said in another way:
// that is an error of code Denied.
func (s *Sender) respond(ctx context.Context, call wire.Call, in said) error {
	body, err := encode(in)
	if err != nil {
		return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s: encode: %w", call.What, err)}
	}
	call.Body = body
	res, err := s.wire.Do(ctx, call)
	if err != nil {
		return err
	}
	out := reply{OK: true}
	if json.Unmarshal(res.Body, &out) != nil || out.OK {
		return nil
	}
	if err := s.failure(call, res.Header, out); chat.CodeOf(err) == chat.Throttled {
		return err
	}
	return &chat.Error{Code: chat.Denied, Err: fmt.Errorf("%s: its reply URL takes no more", call.What)}
}
