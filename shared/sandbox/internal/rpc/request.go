package rpc

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// Request is one parsed call.
type Request struct {
	Action, Version string
	Params          url.Values // of query and form, the signature's own among them
	Format          string     // JSON or XML
	Host            string
	http            *http.Request
	body            []byte
}

// Parse reads the parameters of query and form body. ok is false if the request names no action and so cannot be of
// the RPC style.
func Parse(r *http.Request, body []byte) (Request, bool) {
	p, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return Request{}, false
	}
	if r.URL.Path != "/" && r.URL.Path != "" {
		return Request{}, false
	}
	addBody(p, r.Header.Get("Content-Type"), body)
	q := Request{Params: p, Action: p.Get("Action"), Version: p.Get("Version"), Format: strings.ToUpper(p.Get("Format")), Host: r.Host, http: r, body: body}
	if h := r.Header.Get("x-acs-action"); h != "" && q.Action == "" {
		q.Action = h
	}
	if h := r.Header.Get("x-acs-version"); h != "" && q.Version == "" {
		q.Version = h
	}
	if q.Format == "" && (q.acs3() || strings.Contains(r.Header.Get("Accept"), "json")) {
		q.Format = "JSON"
	}
	return q, q.Action != "" && (p.Has("Signature") || p.Has("AccessKeyId") || q.acs3() || p.Has("Action"))
}

// addBody adds the parameters of a form body, or the scalars of a JSON one, which ACS3 clients send.
func addBody(p url.Values, contentType string, body []byte) {
	if len(body) == 0 {
		return
	}
	kind, _, _ := mime.ParseMediaType(contentType)
	if kind == "application/json" {
		var m map[string]any
		if json.Unmarshal(body, &m) == nil {
			for k, v := range m {
				p.Set(k, scalar(v))
			}
		}
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return
	}
	for k, v := range form {
		p[k] = append(p[k], v...)
	}
}

func scalar(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// Get returns a parameter, "" if it is absent.
func (q Request) Get(name string) string { return q.Params.Get(name) }

// AccessKey returns the id that the request was signed with.
func (q Request) AccessKey() string {
	if q.acs3() {
		return q.acs3Field("Credential")
	}
	return q.Get("AccessKeyId")
}

func (q Request) acs3() bool {
	return q.http != nil && strings.HasPrefix(q.http.Header.Get("Authorization"), acs3Algorithm)
}

// acs3Field reads one field of the Authorization header, such as Credential.
func (q Request) acs3Field(name string) string {
	rest := strings.TrimPrefix(q.http.Header.Get("Authorization"), acs3Algorithm)
	for _, part := range strings.Split(rest, ",") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(part), name+"="); ok {
			return v
		}
	}
	return ""
}

// Header returns a header of the call, "" if it is absent.
func (q Request) Header(name string) string {
	if q.http == nil {
		return ""
	}
	return q.http.Header.Get(name)
}
