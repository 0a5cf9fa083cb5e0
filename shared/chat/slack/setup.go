package slack

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/firedrill/firedrill/shared/chat/wire"
)

const (
	envSecrets  = "FIREDRILL_SLACK_SIGNING_SECRETS"
	envApps     = "FIREDRILL_SLACK_APPS"
	envTenants  = "FIREDRILL_SLACK_TENANTS"
	envTokens   = "FIREDRILL_SLACK_BOT_TOKENS"
	envEndpoint = "FIREDRILL_ENDPOINT_SLACK"

	defaultEndpoint = "https://slack.com"
)

// Variables returns the names of all environment variables that are read here.
func Variables() []string { return []string{envSecrets, envApps, envTenants, envTokens, envEndpoint} }

// settings reads variables and keeps every mistake.
type settings struct {
	get      func(string) string
	problems []string
}

func (s *settings) value(name string) string { return strings.TrimSpace(s.get(name)) }

func (s *settings) wrong(name, why string) { s.problems = append(s.problems, name+": "+why) }

func (s *settings) err() error {
	if len(s.problems) == 0 {
		return nil
	}
	return errors.New("slack is not set up: " + strings.Join(s.problems, "; "))
}

// ids reads a list of ids. Its mistakes do not repeat the text.
func (s *settings) ids(name, like string, ok func(string) bool) []string {
	all := entries(s.get(name))
	for i, id := range all {
		if !ok(id) {
			s.wrong(name, fmt.Sprintf("number %d is no id such as %s", i+1, like))
		}
	}
	return all
}

// Inbound returns what reads Slack's requests, or nil when nothing of it is set. FIREDRILL_SLACK_SIGNING_SECRETS and
// FIREDRILL_SLACK_TENANTS must be there, FIREDRILL_SLACK_APPS should. An error names every variable that is missing or wrong, and no value.
func Inbound(get func(string) string) (*Receiver, error) {
	s := &settings{get: get}
	if s.value(envSecrets) == "" && s.value(envApps) == "" && s.value(envTenants) == "" {
		return nil, nil
	}
	r := &Receiver{}
	var err error
	if r.secrets, err = parseSecrets(get(envSecrets)); err != nil {
		s.wrong(envSecrets, err.Error())
	}
	r.apps = s.ids(envApps, "A0123456", func(id string) bool { return isID(id) && strings.HasPrefix(id, "A") })
	r.tenants = s.ids(envTenants, "T0123456, or E0123456 of an organisation", isTenant)
	if len(r.tenants) == 0 {
		s.wrong(envTenants, "none given: write the id of your workspace, such as T0123456; it is in the address of Slack in a browser")
	}
	if r.replies.endpoint, err = s.endpoint(); err != nil {
		s.wrong(envEndpoint, err.Error())
	}
	if err := s.err(); err != nil {
		return nil, err
	}
	return r, nil
}

// Outbound returns what posts to Slack, or nil when nothing of it is set. An error names every variable that is missing or wrong,
// and no value.
func Outbound(get func(string) string, o wire.Options) (*Sender, error) {
	s := &settings{get: get}
	if s.value(envTokens) == "" && s.value(envEndpoint) == "" {
		return nil, nil
	}
	out := &Sender{now: o.Now, endpoint: defaultEndpoint}
	var err error
	if out.tokens, err = parseTokens(get(envTokens)); err != nil {
		s.wrong(envTokens, err.Error())
	}
	u, err := s.endpoint()
	if err == nil && u != nil && u.Scheme == "http" && !o.Loopback {
		err = errors.New("http is for the sandbox alone: write https")
	}
	if err != nil {
		s.wrong(envEndpoint, err.Error())
	}
	if err := s.err(); err != nil {
		return nil, err
	}
	host := "slack.com"
	if u != nil {
		out.endpoint, host = strings.TrimRight(u.String(), "/"), u.Host
		out.replies.endpoint = u
	}
	o.Hosts = []string{host, "hooks.slack.com", "hooks.slack-gov.com"}
	if out.wire, err = wire.New(o); err != nil {
		return nil, err
	}
	return out, nil
}

// endpoint reads another base of the API; nil for none.
func (s *settings) endpoint() (*url.URL, error) {
	raw := s.value(envEndpoint)
	if raw == "" {
		return nil, nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, errors.New("it is no URL: write https://slack.com, or leave it out")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("write the scheme, the host and the path alone")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return nil, errors.New("want https; http is for this machine alone")
	}
	u.Host = strings.ToLower(u.Host)
	return u, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
