package setup

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/bus/eventbridge"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal/s3"
)

// The modes; each journal entry, page and message carries one.
const (
	Live    = "LIVE"
	Sandbox = "SANDBOX"
)

const (
	prefix       = "FIREDRILL_"
	defaultEvery = 15 * time.Second
	maxEvery     = time.Minute
	drillMark    = "{drill}"
)

// Need is a variable that one function or runtime needs besides those that all need. Check says what is wrong with its value
// and must not repeat it; nil takes any that is not empty. An optional one may be missing.
type Need struct {
	Variable string
	Check    func(value string) error
	Optional bool
}

// Parses makes a Check of a parser.
func Parses[T any](parse func(string) (T, error)) func(string) error {
	return func(value string) error {
		_, err := parse(value)
		return err
	}
}

// Settings are what the environment says.
type Settings struct {
	Journal    *url.URL
	Bus        *url.URL
	DeadLetter *url.URL // nil for none
	Endpoints  map[drill.Service]string
	Deployment string
	Mode       string
	Every      time.Duration // observe_every
	LogLevel   slog.Level

	link   string
	values map[string]string // checked needs: never printed
}

// Value returns a variable that was declared as a Need, "" for any other.
func (s *Settings) Value(variable string) string { return s.values[variable] }

// Source returns what events of a function come from.
func (s *Settings) Source(function string) string {
	return "/firedrill/" + s.Deployment + "/" + function
}

// Link returns the page of a drill, "" when no address is set.
func (s *Settings) Link(id string) string {
	return strings.ReplaceAll(s.link, drillMark, url.PathEscape(id))
}

// LogValue hides everything: settings have no place in a log.
func (s *Settings) LogValue() slog.Value { return slog.StringValue("[settings]") }

func known() []string {
	return append(chatVariables(), []string{
		"FIREDRILL_ADDR", "FIREDRILL_ALARM_TOKENS", "FIREDRILL_BUS", "FIREDRILL_BUS_TOKENS", "FIREDRILL_CATALOG", "FIREDRILL_DEADLETTER",
		"FIREDRILL_DEPLOYMENT", "FIREDRILL_ENDPOINT_AHAS", "FIREDRILL_ENDPOINT_CFG", "FIREDRILL_ENDPOINT_FIS", "FIREDRILL_ENDPOINT_OOS",
		"FIREDRILL_JOURNAL", "FIREDRILL_LINK", "FIREDRILL_LOG_LEVEL", "FIREDRILL_MODE", "FIREDRILL_OBSERVE_EVERY",
		"FIREDRILL_WEBHOOK_OUT_SECRETS", "FIREDRILL_WEBHOOK_SECRETS", "FIREDRILL_WEBHOOK_TENANTS",
	}...)
}

// chatVariables are those of the chat platforms, which this package does not link; a test of package talk holds them to what is read.
func chatVariables() []string {
	return []string{
		"FIREDRILL_CHAT_KEYS", "FIREDRILL_DINGTALK_APP_KEY", "FIREDRILL_DINGTALK_APP_SECRETS", "FIREDRILL_DINGTALK_CARD_SECRETS",
		"FIREDRILL_DINGTALK_CARD_TEMPLATE", "FIREDRILL_DINGTALK_ROBOTS", "FIREDRILL_DINGTALK_ROBOT_CODES", "FIREDRILL_DINGTALK_TENANTS",
		"FIREDRILL_ENDPOINT_DINGTALK", "FIREDRILL_ENDPOINT_DINGTALK_OAPI", "FIREDRILL_ENDPOINT_FEISHU", "FIREDRILL_ENDPOINT_SLACK",
		"FIREDRILL_ENDPOINT_WECOM", "FIREDRILL_FEISHU_APP_ID", "FIREDRILL_FEISHU_APP_SECRETS", "FIREDRILL_FEISHU_ENCRYPT_KEYS",
		"FIREDRILL_FEISHU_HOOKS", "FIREDRILL_FEISHU_TENANTS", "FIREDRILL_FEISHU_VERIFICATION_TOKENS", "FIREDRILL_SLACK_APPS",
		"FIREDRILL_SLACK_BOT_TOKENS", "FIREDRILL_SLACK_SIGNING_SECRETS", "FIREDRILL_SLACK_TENANTS", "FIREDRILL_WECOM_AES_KEYS",
		"FIREDRILL_WECOM_AGENT", "FIREDRILL_WECOM_APP_SECRETS", "FIREDRILL_WECOM_ROBOTS", "FIREDRILL_WECOM_TENANTS", "FIREDRILL_WECOM_TOKENS",
	}
}

// reader collects mistakes.
type reader struct {
	env   map[string]string
	wrong []error
}

func (r *reader) bad(variable, format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf("%s: %w", variable, fmt.Errorf(format, args...)))
}

// Read reads the environment, a list of NAME=value. Its error lists every mistake and no value.
func Read(environ []string, needs ...Need) (*Settings, error) {
	r := &reader{env: map[string]string{}}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok && strings.HasPrefix(name, prefix) {
			r.env[name] = strings.TrimSpace(value)
		}
	}
	s := &Settings{values: map[string]string{}, link: r.env["FIREDRILL_LINK"]}
	s.Journal = r.place("FIREDRILL_JOURNAL", "dir:///path or s3://bucket/prefix?region=", "dir", "s3")
	s.Bus = r.place("FIREDRILL_BUS", "https://host/path or eventbridge://name?region=", "https", "http", "eventbridge")
	if r.env["FIREDRILL_DEADLETTER"] != "" {
		s.DeadLetter = r.place("FIREDRILL_DEADLETTER", "the URL of an SQS queue, or dir:///path", "https", "http", "dir")
	}
	s.Mode = r.mode()
	s.Deployment = r.deployment()
	s.Endpoints = r.endpoints(s.Mode)
	s.Every = r.every()
	s.LogLevel = r.level()
	if s.link != "" && (!strings.HasPrefix(s.link, "https://") && s.Mode == Live || !strings.Contains(s.link, drillMark)) {
		r.bad("FIREDRILL_LINK", "want an https address with %s in it", drillMark)
	}
	r.needs(s, needs)
	r.strangers(needs)
	if len(r.wrong) > 0 {
		return nil, &Mistakes{r.wrong}
	}
	return s, nil
}

// Mistakes are all that is wrong with an environment. They repeat no value.
type Mistakes struct{ list []error }

// Error lists the mistakes, one a line.
func (m *Mistakes) Error() string {
	return fmt.Sprintf("the environment has %d mistake(s):\n%v", len(m.list), errors.Join(m.list...))
}

// Unwrap returns them.
func (m *Mistakes) Unwrap() []error { return m.list }

func (r *reader) needs(s *Settings, needs []Need) {
	for _, n := range needs {
		v := r.env[n.Variable]
		if v == "" && n.Optional {
			continue
		}
		if v == "" {
			r.bad(n.Variable, "missing")
			continue
		}
		if n.Check != nil {
			if err := n.Check(v); err != nil {
				r.bad(n.Variable, "%w", err)
			}
		}
		s.values[n.Variable] = v
	}
}

// strangers finds misspelt names: an endpoint that is not read would be the vendor's own.
func (r *reader) strangers(needs []Need) {
	for _, name := range slices.Sorted(mapKeys(r.env)) {
		if !slices.Contains(known(), name) && !slices.ContainsFunc(needs, func(n Need) bool { return n.Variable == name }) {
			r.bad(name, "there is no such variable")
		}
	}
}

func mapKeys(m map[string]string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// place reads a URL with one of the schemes.
func (r *reader) place(variable, want string, schemes ...string) *url.URL {
	v := r.env[variable]
	if v == "" {
		r.bad(variable, "missing; want %s", want)
		return nil
	}
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Scheme == "": // the error would repeat the value
		r.bad(variable, "not a URL; want %s", want)
	case u.Scheme == "memory":
		r.bad(variable, "memory:// ends with the process; want %s", want)
	case !slices.Contains(schemes, u.Scheme):
		r.bad(variable, "its scheme is none of %s; want %s", strings.Join(schemes, ", "), want)
	case u.Scheme == "dir" && (u.Host != "" || u.Path == "" || u.Path == "/"):
		r.bad(variable, "want dir:///absolute/path")
	case u.Scheme != "dir" && u.Host == "":
		r.bad(variable, "it names no host; want %s", want)
	case u.User != nil:
		r.bad(variable, "it holds a user or a password; put secrets elsewhere")
	default:
		if err := details(u); err != nil {
			r.bad(variable, "%w", err)
		}
		return u
	}
	return nil
}

// details lets those who use a URL look at the rest of it.
func details(u *url.URL) error {
	var err error
	switch u.Scheme {
	case "s3":
		_, err = s3.ParseURL(u.String())
	case "eventbridge":
		_, err = eventbridge.ParseURL(u.String())
	}
	return err
}

func (r *reader) mode() string {
	switch v := r.env["FIREDRILL_MODE"]; v {
	case "", Live:
		return Live
	case Sandbox:
		return Sandbox
	}
	r.bad("FIREDRILL_MODE", "neither %s nor %s", Live, Sandbox)
	return Live
}

func (r *reader) deployment() string {
	v := r.env["FIREDRILL_DEPLOYMENT"]
	if !deploymentName(v) {
		r.bad("FIREDRILL_DEPLOYMENT", "want 1 to 63 lower-case letters, digits and hyphens")
	}
	return v
}

func deploymentName(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// endpoints reads other addresses of services. What is not encrypted is for the sandbox alone.
func (r *reader) endpoints(mode string) map[drill.Service]string {
	out := map[drill.Service]string{}
	for _, s := range []drill.Service{drill.FIS, drill.AHAS, drill.OOS, drill.CFG} {
		variable := "FIREDRILL_ENDPOINT_" + strings.ToUpper(string(s))
		v := r.env[variable]
		if v == "" {
			continue
		}
		u, err := url.Parse(v)
		switch {
		case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
			r.bad(variable, "want https://host and nothing secret")
		case u.Scheme != "https" && (u.Scheme != "http" || mode == Live):
			r.bad(variable, "want https; only %s takes http", Sandbox)
		default:
			out[s] = v
		}
	}
	return out
}

func (r *reader) every() time.Duration {
	v := r.env["FIREDRILL_OBSERVE_EVERY"]
	if v == "" {
		return defaultEvery
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 || d > maxEvery || d > 0 && d < time.Second {
		r.bad("FIREDRILL_OBSERVE_EVERY", "want 1s to %s, or 0s", maxEvery)
	}
	return d
}

func (r *reader) level() slog.Level {
	var l slog.Level
	if v := r.env["FIREDRILL_LOG_LEVEL"]; v != "" && l.UnmarshalText([]byte(v)) != nil {
		r.bad("FIREDRILL_LOG_LEVEL", "none of debug, info, warn, error")
	}
	return l
}
