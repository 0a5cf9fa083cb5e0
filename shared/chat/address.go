package chat

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Platform names a chat platform.
type Platform string

// The platforms that an address may name. Which of them a deployment can reach is up to its senders.
const (
	Local      Platform = "local" // the program's own output; "log" is the same
	Webhook    Platform = "webhook"
	Slack      Platform = "slack"
	Feishu     Platform = "feishu"
	DingTalk   Platform = "dingtalk"
	WeCom      Platform = "wecom"
	Teams      Platform = "teams"
	Mattermost Platform = "mattermost"
)

// Platforms lists every platform in the order that help texts show them.
func Platforms() []Platform {
	return []Platform{Local, Webhook, Slack, Feishu, DingTalk, WeCom, Teams, Mattermost}
}

const maxAddress = 2048 // bytes

// Address is where a message goes: a platform, and a place in its own words.
type Address struct {
	Platform Platform
	Place    string // webhook: an https URL; local: any name or nothing; others: tenant/channel
}

// ParseAddress reads "webhook:https://host/path", "local:", "log:name" or "slack:T123/C0123". Its errors never repeat a
// webhook's path or query, which may be secret.
func ParseAddress(s string) (Address, error) {
	name, place, found := strings.Cut(strings.TrimSpace(s), ":")
	if !found {
		return Address{}, fmt.Errorf("%w: address has no platform: write platform:place, such as local: or webhook:https://example.com/hook", ErrAddress)
	}
	a := Address{Platform: Platform(strings.ToLower(name)), Place: place}
	if a.Platform == "log" {
		a.Platform = Local
	}
	switch {
	case len(s) > maxAddress:
		return Address{}, fmt.Errorf("%w: address has %d bytes, at most %d are allowed", ErrAddress, len(s), maxAddress)
	case !slices.Contains(Platforms(), a.Platform):
		return Address{}, fmt.Errorf("%w: unknown platform %q; known are %s", ErrAddress, Cut(name, 40), known())
	case strings.ContainsFunc(place, unprintable):
		return Address{}, fmt.Errorf("%w: %s address holds a space or a control character", ErrAddress, a.Platform)
	case a.Platform == Webhook:
		return a, checkURL(place)
	case a.Platform != Local && !pair(place):
		return Address{}, fmt.Errorf("%w: %s address: write %s:tenant/channel", ErrAddress, a.Platform, a.Platform)
	}
	return a, nil
}

// String returns the address as it may be shown: of a webhook only the host.
func (a Address) String() string {
	if a.Platform == Webhook {
		u, err := url.Parse(a.Place)
		if err != nil {
			return string(Webhook) + ":?"
		}
		return string(Webhook) + ":" + u.Scheme + "://" + u.Host
	}
	return string(a.Platform) + ":" + a.Place
}

// Key returns the address as one text that tells it from all others. It may hold a secret path: never show it.
func (a Address) Key() string { return string(a.Platform) + ":" + a.Place }

// checkURL checks the form alone. Whether plain http is taken is up to the sender, which knows the mode.
func checkURL(place string) error {
	u, err := url.Parse(place)
	switch {
	case err != nil:
		return fmt.Errorf("%w: webhook address is not a URL", ErrAddress)
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%w: webhook address: want an https URL, not scheme %q", ErrAddress, Cut(u.Scheme, 40))
	case u.Hostname() == "":
		return fmt.Errorf("%w: webhook address has no host", ErrAddress)
	case u.User != nil:
		return fmt.Errorf("%w: webhook address holds a user name; sign requests with a secret instead", ErrAddress)
	case u.Fragment != "":
		return fmt.Errorf("%w: webhook address has a fragment, which is never sent", ErrAddress)
	}
	return nil
}

func pair(place string) bool {
	tenant, channel, found := strings.Cut(place, "/")
	return found && tenant != "" && channel != ""
}

func known() string {
	var names []string
	for _, p := range Platforms() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

func unprintable(r rune) bool { return r <= ' ' || r == 0x7f || r == '\u00a0' || r == '\ufffd' }
