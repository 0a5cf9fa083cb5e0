package feishu

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/firedrill/firedrill/shared/chat/wire"
)

const (
	envApp      = "FIREDRILL_FEISHU_APP_ID"
	envSecrets  = "FIREDRILL_FEISHU_APP_SECRETS"
	envKeys     = "FIREDRILL_FEISHU_ENCRYPT_KEYS"
	envTokens   = "FIREDRILL_FEISHU_VERIFICATION_TOKENS"
	envTenants  = "FIREDRILL_FEISHU_TENANTS"
	envHooks    = "FIREDRILL_FEISHU_HOOKS"
	envEndpoint = "FIREDRILL_ENDPOINT_FEISHU"

	defaultEndpoint = "https://open.feishu.cn"
	minSecret       = 8 // characters
)

// Variables lists all environment variables that Inbound and Outbound read.
func Variables() []string {
	return []string{envApp, envSecrets, envKeys, envTokens, envTenants, envHooks, envEndpoint}
}

// setup reads variables and gathers what is wrong with them, by name and without a value.
type setup struct {
	get   func(string) string
	wrong []string
}

func (s *setup) bad(name, fix string) { s.wrong = append(s.wrong, name+": "+fix) }

func (s *setup) list(name string) []string {
	var items []string
	for _, item := range strings.Split(s.get(name), ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func (s *setup) secrets(name, fix string) []secret {
	var secrets []secret
	for i, item := range s.list(name) {
		if len(item) < minSecret {
			s.bad(name, fmt.Sprintf("number %d has less than %d characters; %s", i+1, minSecret, fix))
		}
		secrets = append(secrets, secret{text: item})
	}
	if len(secrets) == 0 {
		s.bad(name, "missing; "+fix)
	}
	return secrets
}

func (s *setup) app() string {
	id := strings.TrimSpace(s.get(envApp))
	if !validID(id) {
		s.bad(envApp, "missing or no app id; copy the App ID from the app's page Credentials & Basic Info, such as cli_a1b2c3d4")
	}
	return id
}

func (s *setup) tenants(needed bool) []string {
	tenants := s.list(envTenants)
	for i, t := range tenants {
		if !validID(t) {
			s.bad(envTenants, fmt.Sprintf("number %d is no tenant key; write letters and digits, such as 2ed263bf32cf1651", i+1))
		}
	}
	if needed && len(tenants) == 0 {
		s.bad(envTenants, "missing; write the tenant key of your company, which may use the app")
	}
	return tenants
}

func (s *setup) set(names ...string) bool {
	for _, name := range names {
		if len(s.list(name)) > 0 {
			return true
		}
	}
	return false
}

// half reports an app that is named but for which nothing is set, neither to receive nor to send.
func (s *setup) half() error {
	if s.set(envApp, envTenants) && !s.set(envKeys, envTokens, envSecrets, envHooks) {
		return fmt.Errorf("feishu: %s alone does nothing: set %s and %s to receive, %s to send", envApp, envKeys, envTokens, envSecrets)
	}
	return nil
}

func (s *setup) err() error {
	if len(s.wrong) == 0 {
		return nil
	}
	return errors.New("feishu: " + strings.Join(s.wrong, "; "))
}

// Inbound returns the receiver that the environment describes: nil and no error where neither an encrypt key nor a verification token is
// set. Otherwise it wants both, the app's id and the tenants. Errors name all variables that are missing or wrong, and no value.
func Inbound(get func(string) string) (*Receiver, error) {
	s := &setup{get: get}
	if !s.set(envKeys, envTokens) {
		return nil, s.half()
	}
	const page = "copy it from the app's page Events & Callbacks, Encryption Strategy"
	r := &Receiver{app: s.app(), keys: s.secrets(envKeys, page), tokens: s.secrets(envTokens, page), tenants: s.tenants(true)}
	if err := s.err(); err != nil {
		return nil, err
	}
	return r, nil
}

// Outbound returns the sender that the environment describes: nil and no error where neither an app's secret nor a custom bot is set. It sets
// o.Hosts. Errors name all variables that are missing or wrong, and no value.
func Outbound(get func(string) string, o wire.Options) (*Sender, error) {
	s := &setup{get: get}
	app := s.set(envSecrets)
	if !app && !s.set(envHooks) {
		return nil, s.half()
	}
	base, host := s.endpoint(o.Loopback)
	sender := &Sender{base: base, tenants: s.tenants(app), hooks: s.hooks(), now: o.Now}
	o.Hosts = []string{host}
	c, err := wire.New(o)
	if err != nil {
		return nil, fmt.Errorf("feishu: %w", err)
	}
	sender.wire = c
	if app {
		id, secrets := s.app(), s.secrets(envSecrets, "copy it from the app's page Credentials & Basic Info")
		sender.access = newAccess(base, id, secrets, c, o.Now)
	}
	if err := s.err(); err != nil {
		return nil, err
	}
	return sender, nil
}

// hooks reads name=id:secret, with or without the secret.
func (s *setup) hooks() map[string]hook {
	const form = "write name=id:secret, where id is the last part of the bot's webhook address, and secret is what it shows under signature verification"
	hooks := map[string]hook{}
	for i, item := range s.list(envHooks) {
		name, rest, _ := strings.Cut(item, "=")
		id, key, signed := strings.Cut(rest, ":")
		_, twice := hooks[name]
		switch {
		case !validID(name) || !validID(id) || signed && len(key) < minSecret, strings.Contains(rest, "//"):
			s.bad(envHooks, fmt.Sprintf("number %d is not readable; %s", i+1, form))
		case twice:
			s.bad(envHooks, fmt.Sprintf("number %d has a name that another has; give each its own", i+1))
		}
		hooks[name] = hook{id: secret{text: id}, secret: secret{text: key}}
	}
	return hooks
}

// endpoint reads where the API is: its base without a slash at the end, and its host.
func (s *setup) endpoint(loopback bool) (base, host string) {
	raw := strings.TrimRight(strings.TrimSpace(s.get(envEndpoint)), "/")
	if raw == "" {
		raw = defaultEndpoint
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		s.bad(envEndpoint, "not a base address; write "+defaultEndpoint+", or https://open.larksuite.com for Lark")
		return "", ""
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback || !here(u.Hostname())) {
		s.bad(envEndpoint, "want https; http is for this machine in the sandbox alone")
	}
	return raw, strings.ToLower(u.Host)
}

func here(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
