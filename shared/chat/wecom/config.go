package wecom

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/firedrill/firedrill/shared/chat/wire"
)

// The environment variables.
const (
	varTenants  = "FIREDRILL_WECOM_TENANTS"
	varAgent    = "FIREDRILL_WECOM_AGENT"
	varSecrets  = "FIREDRILL_WECOM_APP_SECRETS" //nolint:gosec // a name
	varTokens   = "FIREDRILL_WECOM_TOKENS"      //nolint:gosec // a name
	varKeys     = "FIREDRILL_WECOM_AES_KEYS"
	varRobots   = "FIREDRILL_WECOM_ROBOTS"
	varEndpoint = "FIREDRILL_ENDPOINT_WECOM"
)

const endpoint = "https://qyapi.weixin.qq.com"

// Variables returns the names of all environment variables that Inbound and Outbound read.
func Variables() []string {
	return []string{varTenants, varAgent, varSecrets, varTokens, varKeys, varRobots, varEndpoint}
}

// Inbound reads the app's callback from the environment. Without a token and a key there is none, and it returns nil. The error names every
// variable that is missing or wrong, and no value.
func Inbound(get func(string) string) (*Receiver, error) {
	e := &environment{get: get}
	tokens, keys := list(get(varTokens)), list(get(varKeys))
	if len(tokens) == 0 && len(keys) == 0 {
		return nil, nil
	}
	r := &Receiver{agents: map[string]string{}}
	for corp, agent := range e.agents(e.tenants()) {
		r.agents[corp] = strconv.Itoa(agent)
	}
	if len(tokens) == 0 {
		e.bad(varTokens, "missing: copy the Token of 接收消息 (API) from the app's page; several are separated by commas, the newest first")
	}
	if len(keys) == 0 {
		e.bad(varKeys, "missing: copy the EncodingAESKey of 接收消息 (API) from the app's page; several are separated by commas, the newest first")
	}
	for i, t := range tokens {
		if !word(t, 3, 64) {
			e.bad(varTokens, "number %d: want 3 to 32 letters and digits, as the app's page shows them", i+1)
		}
		r.tokens = append(r.tokens, secret{t})
	}
	for i, k := range keys {
		key, err := parseKey(k)
		if err != nil {
			e.bad(varKeys, "number %d: %w", i+1, err)
		}
		r.keys = append(r.keys, key)
	}
	if err := e.err(); err != nil {
		return nil, err
	}
	return r, nil
}

// Outbound reads from the environment what it needs to send: an app's secrets, robots' keys, or both. Without any it returns nil. The
// error names every variable that is missing or wrong, and no value.
func Outbound(get func(string) string, o wire.Options) (*Sender, error) {
	e := &environment{get: get}
	secrets, robots := list(get(varSecrets)), list(get(varRobots))
	if len(secrets) == 0 && len(robots) == 0 {
		return nil, nil
	}
	c := config{base: e.base(o.Loopback), robots: e.robots(robots), agents: map[string]int{}}
	tenants := e.tenants()
	for _, corp := range tenants {
		c.agents[corp] = 0
	}
	if len(secrets) > 0 {
		c.agents = e.agents(tenants)
	}
	for i, s := range secrets {
		if !word(s, 16, 128) {
			e.bad(varSecrets, "number %d: want the Secret as the app's page shows it: letters, digits, - and _", i+1)
		}
		c.secrets = append(c.secrets, secret{s})
	}
	if err := e.err(); err != nil {
		return nil, err
	}
	o.Hosts = []string{strings.ToLower(c.base.Host)}
	w, err := wire.New(o)
	if err != nil {
		return nil, err
	}
	return newSender(c, w, o.Now), nil
}

// environment reads variables and gathers all that is wrong with them.
type environment struct {
	get   func(string) string
	wrong []error
}

func (e *environment) bad(name, format string, args ...any) {
	e.wrong = append(e.wrong, fmt.Errorf(name+": "+format, args...))
}

func (e *environment) err() error { return errors.Join(e.wrong...) }

func (e *environment) tenants() []string {
	corps := list(e.get(varTenants))
	if len(corps) == 0 {
		e.bad(varTenants, "missing: copy the company's id (企业ID) from the foot of 我的企业 in the console")
	}
	for i, corp := range corps {
		if !word(corp, 4, 64) {
			e.bad(varTenants, "number %d: want a company's id such as ww and 16 letters and digits", i+1)
		}
		if slices.Contains(corps[:i], corp) {
			e.bad(varTenants, "number %d: it stands there twice", i+1)
		}
	}
	return corps
}

// agents pairs each company with the id of its app: one id for all, or one for each, in the same order.
func (e *environment) agents(corps []string) map[string]int {
	ids := list(e.get(varAgent))
	if len(ids) == 0 {
		e.bad(varAgent, "missing: copy the AgentId from the app's page")
		return nil
	}
	if len(ids) != 1 && len(ids) != len(corps) {
		e.bad(varAgent, "it has %d ids for %d companies: want one for all, or one for each of %s in the same order", len(ids), len(corps), varTenants)
		return nil
	}
	agents := map[string]int{}
	for i, corp := range corps {
		id, err := strconv.Atoi(ids[i%len(ids)])
		if err != nil || id <= 0 {
			e.bad(varAgent, "number %d: want the AgentId as a number, such as 1000002", i%len(ids)+1)
			continue
		}
		agents[corp] = id
	}
	return agents
}

func (e *environment) robots(pairs []string) map[string]secret {
	robots := map[string]secret{}
	for i, pair := range pairs {
		name, key, found := strings.Cut(pair, "=")
		name, key = strings.TrimSpace(name), strings.TrimSpace(key)
		switch _, twice := robots[name]; {
		case !found || !word(name, 1, 64):
			e.bad(varRobots, "number %d: want name=key, with a name of letters, digits, - and _", i+1)
		case !word(key, 8, 128):
			e.bad(varRobots, "number %d: want as its key what stands behind key= in the robot's webhook address", i+1)
		case twice:
			e.bad(varRobots, "number %d: there is another robot of that name", i+1)
		}
		robots[name] = secret{key}
	}
	return robots
}

// base is where the API is. Plain http is for this machine in the sandbox alone.
func (e *environment) base(loopback bool) *url.URL {
	v := strings.TrimRight(strings.TrimSpace(e.get(varEndpoint)), "/")
	if v == "" {
		v = endpoint
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !secure(u, loopback) {
		e.bad(varEndpoint, "want an https address without a question mark, such as "+endpoint)
		return &url.URL{}
	}
	return u
}

func secure(u *url.URL, loopback bool) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && ip.Unmap().IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && loopback && local
}

// word reports whether s has from to to letters, digits, "-" and "_".
func word(s string, from, to int) bool {
	return len(s) >= from && len(s) <= to && !slices.ContainsFunc([]byte(s), func(c byte) bool { return !alnum(c) && c != '-' && c != '_' })
}
