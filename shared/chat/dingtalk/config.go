package dingtalk

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/chat/wire"
)

// The environment variables.
const (
	envKey      = "FIREDRILL_DINGTALK_APP_KEY"
	envSecrets  = "FIREDRILL_DINGTALK_APP_SECRETS"
	envCodes    = "FIREDRILL_DINGTALK_ROBOT_CODES"
	envTenants  = "FIREDRILL_DINGTALK_TENANTS"
	envRobots   = "FIREDRILL_DINGTALK_ROBOTS"
	envTemplate = "FIREDRILL_DINGTALK_CARD_TEMPLATE"
	envCards    = "FIREDRILL_DINGTALK_CARD_SECRETS"
	envAPI      = "FIREDRILL_ENDPOINT_DINGTALK"
	envOAPI     = "FIREDRILL_ENDPOINT_DINGTALK_OAPI"
)

const (
	hostAPI  = "api.dingtalk.com"
	hostOAPI = "oapi.dingtalk.com"
)

// Variables returns the names of all environment variables that this package reads.
func Variables() []string {
	return []string{envKey, envSecrets, envCodes, envTenants, envRobots, envTemplate, envCards, envAPI, envOAPI}
}

// Inbound returns the receiver that the environment describes, nil if it describes none. An error lists all that is missing or wrong,
// by the variable's name and without any value.
func Inbound(get func(string) string) (*Receiver, error) {
	s := read(get)
	if err := s.err(); err != nil || !s.app {
		return nil, err
	}
	return &Receiver{
		secrets: s.secrets, cards: s.cards, tenants: s.tenants, robots: s.codes, hosts: s.hosts(), local: s.api.local && s.oapi.local, seen: newMemory(),
	}, nil
}

// Outbound returns the sender that the environment describes, nil if it describes none. It sets o.Hosts. An error lists all that is missing
// or wrong, by the variable's name and without any value.
func Outbound(get func(string) string, o wire.Options) (*Sender, error) {
	s := read(get)
	if (s.api.local || s.oapi.local) && !o.Loopback {
		s.wrong(envAPI+" or "+envOAPI, "it is this machine, which is for SANDBOX alone: leave it out")
	}
	if err := s.err(); err != nil || !s.app && len(s.robots) == 0 {
		return nil, err
	}
	o.Hosts = s.hosts()
	c, err := wire.New(o)
	if err != nil {
		return nil, err
	}
	return newSender(s, c, o.Now), nil
}

// settings are what the environment says.
type settings struct {
	app      bool // there is an app: without it there are custom robots alone
	key      string
	secrets  []secret
	codes    []string
	tenants  []string
	robots   map[string]robot
	template string
	cards    []secret
	api      endpoint
	oapi     endpoint
	problems []error
}

// robot is a custom robot of one group.
type robot struct {
	token secret
	key   secret
}

// endpoint is where one of the two APIs is.
type endpoint struct {
	base  string // without a slash at the end
	host  string
	local bool
}

func read(get func(string) string) *settings {
	s := &settings{key: strings.TrimSpace(get(envKey)), codes: list(get(envCodes)), tenants: list(get(envTenants)), template: strings.TrimSpace(get(envTemplate))}
	s.secrets, s.cards = secrets(get(envSecrets)), secrets(get(envCards))
	s.api, s.oapi = s.endpoint(get, envAPI, hostAPI), s.endpoint(get, envOAPI, hostOAPI)
	s.custom(get(envRobots))
	s.app = s.key != "" || s.secrets != nil || s.codes != nil || s.template != "" || s.cards != nil || s.tenants != nil && len(s.robots) == 0
	if s.app {
		s.complete()
	}
	for _, t := range s.tenants {
		if !valid(t) || strings.Contains(t, "/") {
			s.wrong(envTenants, "a corp id has no space and no slash: copy it from the developer console")
			break
		}
	}
	return s
}

// complete checks that the app is described wholly.
func (s *settings) complete() {
	if !valid(s.key) {
		s.wrong(envKey, "missing: set it to the app's AppKey (Client ID)")
	}
	if len(s.secrets) == 0 {
		s.wrong(envSecrets, "missing: set it to the app's AppSecret (Client Secret); without it no message can be verified")
	}
	if len(s.codes) == 0 {
		s.wrong(envCodes, "missing: set it to the robotCode of the app's robot")
	}
	if len(s.tenants) == 0 {
		s.wrong(envTenants, "missing: set it to the corp id of your organisation")
	}
	if s.template != "" && len(s.cards) == 0 {
		s.wrong(envCards, "missing: set it to the apiSecret with which the card callback was registered, or leave out "+envTemplate)
	}
}

// custom reads the list of custom robots.
func (s *settings) custom(text string) {
	for i, entry := range list(text) {
		name, rest, _ := strings.Cut(entry, "=")
		token, key, _ := strings.Cut(rest, ":")
		switch {
		case !valid(name) || !valid(token) || !valid(key):
			s.wrong(envRobots, fmt.Sprintf("number %d: write name=access_token:SEC…, the secret being that of the robot's signature setting", i+1))
		case s.robots[name].token.text != "":
			s.wrong(envRobots, fmt.Sprintf("number %d: its name is taken already", i+1))
		default:
			if s.robots == nil {
				s.robots = map[string]robot{}
			}
			s.robots[name] = robot{token: secret{token}, key: secret{key}}
		}
	}
}

func (s *settings) endpoint(get func(string) string, name, host string) endpoint {
	text := strings.TrimRight(strings.TrimSpace(get(name)), "/")
	if text == "" {
		return endpoint{base: "https://" + host, host: host}
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		s.wrong(name, "it is no URL such as https://"+host)
		return endpoint{}
	}
	local := loopback(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		s.wrong(name, "want https; http is for this machine alone")
	}
	return endpoint{base: text, host: strings.ToLower(u.Host), local: local}
}

// hosts are the only ones that are connected to. The vendor's own are among them unless all of it is on this machine: reply URLs
// of an organisation with an endpoint of its own may point at either.
func (s *settings) hosts() []string {
	hosts := []string{s.api.host, s.oapi.host}
	if !s.api.local && !s.oapi.local {
		hosts = append(hosts, hostAPI, hostOAPI)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

func (s *settings) wrong(name, what string) {
	s.problems = append(s.problems, fmt.Errorf("%s: %s", name, what))
}

func (s *settings) err() error { return errors.Join(s.problems...) }

// list reads a comma-separated list.
func list(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func secrets(text string) []secret {
	var all []secret
	for _, item := range list(text) {
		all = append(all, secret{item})
	}
	return all
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
