// Package talk connects chatops and notify to the chat platforms that the environment names. A platform of which nothing is set is left
// out; one of which something is missing is a mistake that says what.
package talk

import (
	"errors"
	"fmt"
	"slices"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/dingtalk"
	"github.com/firedrill/firedrill/shared/chat/feishu"
	"github.com/firedrill/firedrill/shared/chat/slack"
	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/chat/wecom"
	"github.com/firedrill/firedrill/shared/chat/wire"
	"github.com/firedrill/firedrill/shared/setup"
)

// The variables besides those of the platforms.
const (
	Keys       = "FIREDRILL_CHAT_KEYS"           // of buttons, links and sealed reply URLs: the same for chatops and notify
	InSecrets  = "FIREDRILL_WEBHOOK_SECRETS"     // that commands by the signed webhook carry
	InTenants  = "FIREDRILL_WEBHOOK_TENANTS"     // whose people may send them
	OutSecrets = "FIREDRILL_WEBHOOK_OUT_SECRETS" // that our messages to webhooks are signed with
)

// Get returns a variable, "" for none.
type Get func(variable string) string

// platform is how one platform is set up.
type platform struct {
	name      chat.Platform
	variables []string
	in        func(Get) (chat.Receiver, error) // a nil interface: not set up
	out       func(Get, wire.Options) (chat.Sender, error)
}

// platforms lists those that have a folder in shared/chat. Teams and Mattermost take their places here.
func platforms() []platform {
	return []platform{
		{chat.Slack, slack.Variables(), receiver(slack.Inbound), sender(slack.Outbound)},
		{chat.Feishu, feishu.Variables(), receiver(feishu.Inbound), sender(feishu.Outbound)},
		{chat.DingTalk, dingtalk.Variables(), receiver(dingtalk.Inbound), sender(dingtalk.Outbound)},
		{chat.WeCom, wecom.Variables(), receiver(wecom.Inbound), sender(wecom.Outbound)},
	}
}

// receiver makes a nil pointer a nil interface.
func receiver[T any, P interface {
	*T
	chat.Receiver
}](open func(func(string) string) (P, error)) func(Get) (chat.Receiver, error) {
	return func(get Get) (chat.Receiver, error) {
		p, err := open(get)
		if p == nil {
			return nil, err
		}
		return p, err
	}
}

func sender[T any, P interface {
	*T
	chat.Sender
}](open func(func(string) string, wire.Options) (P, error)) func(Get, wire.Options) (chat.Sender, error) {
	return func(get Get, o wire.Options) (chat.Sender, error) {
		p, err := open(get, o)
		if p == nil {
			return nil, err
		}
		return p, err
	}
}

// Needs are the variables that chatops and notify may be given, each with those of the webhook that are its own.
func Needs(own string) []setup.Need {
	needs := []setup.Need{
		{Variable: Keys, Check: setup.Parses(token.ParseKeys), Optional: true},
		{Variable: own, Check: setup.Parses(webhook.ParseSecrets), Optional: true},
	}
	if own == InSecrets {
		needs = append(needs, setup.Need{Variable: InTenants, Check: setup.Parses(webhook.ParseTenants), Optional: true})
	}
	for _, p := range platforms() {
		for _, v := range p.variables {
			needs = append(needs, setup.Need{Variable: v, Optional: true})
		}
	}
	return needs
}

// ReadKeys reads the keys; none is an error only where a chat platform needs them.
func ReadKeys(get Get) (token.Keys, error) {
	if get(Keys) == "" {
		return token.Keys{}, nil
	}
	return token.ParseKeys(get(Keys))
}

// Receivers returns the platforms that commands may come from.
func Receivers(get Get) (map[chat.Platform]chat.Receiver, error) {
	out := map[chat.Platform]chat.Receiver{}
	var wrong []error
	if get(InSecrets) != "" {
		secrets, err := webhook.ParseSecrets(get(InSecrets))
		wrong = append(wrong, named(InSecrets, err))
		tenants, err := webhook.ParseTenants(get(InTenants))
		wrong = append(wrong, named(InTenants, err))
		out[chat.Webhook] = &webhook.Receiver{Secrets: secrets, Tenants: tenants}
	}
	for _, p := range platforms() {
		r, err := p.in(get)
		wrong = append(wrong, err)
		if r != nil {
			out[p.name] = r
		}
	}
	if len(out) == 0 && errors.Join(wrong...) == nil {
		wrong = append(wrong, none(InSecrets))
	}
	return out, errors.Join(append(wrong, keyed(get, out))...)
}

// Senders returns the platforms that messages go to.
func Senders(get Get, o wire.Options) (map[chat.Platform]chat.Sender, error) {
	out := map[chat.Platform]chat.Sender{}
	var wrong []error
	if get(OutSecrets) != "" {
		secrets, err := webhook.ParseSecrets(get(OutSecrets))
		wrong = append(wrong, named(OutSecrets, err))
		if err == nil {
			hook, err := webhook.New(webhook.Options{Secrets: secrets, Now: o.Now, Loopback: o.Loopback})
			wrong = append(wrong, err)
			out[chat.Webhook] = hook
		}
	}
	for _, p := range platforms() {
		s, err := p.out(get, o)
		wrong = append(wrong, err)
		if s != nil {
			out[p.name] = s
		}
	}
	if len(out) == 0 && errors.Join(wrong...) == nil {
		wrong = append(wrong, none(OutSecrets))
	}
	return out, errors.Join(append(wrong, keyed(get, out))...)
}

// none says that there is nobody to talk to.
func none(webhook string) error {
	return fmt.Errorf("no chat platform is set up: set %s, or the variables of Slack, Feishu, DingTalk or WeCom", webhook)
}

// keyed asks for keys where a platform has buttons.
func keyed[T any](get Get, set map[chat.Platform]T) error {
	for p := range set {
		if p != chat.Webhook && get(Keys) == "" {
			return fmt.Errorf("%s: missing; the buttons of %s are signed with it: head -c 32 /dev/urandom | base64 makes one", Keys, p)
		}
	}
	return nil
}

func named(variable string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", variable, err)
}

// Variables lists every variable of every platform, sorted.
func Variables() []string {
	all := []string{Keys, InSecrets, InTenants, OutSecrets}
	for _, p := range platforms() {
		all = append(all, p.variables...)
	}
	slices.Sort(all)
	return all
}
