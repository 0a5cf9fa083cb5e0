package host

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// gatewayRequest is payload format 2.0 of function URLs and API Gateway.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
type gatewayRequest struct {
	Path    string            `json:"rawPath"`
	Query   string            `json:"rawQueryString"`
	Cookies []string          `json:"cookies"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Base64  bool              `json:"isBase64Encoded"`
	Context struct {
		Domain string `json:"domainName"`
		Stage  string `json:"stage"`
		HTTP   struct {
			Method string `json:"method"`
			IP     string `json:"sourceIp"`
		} `json:"http"`
	} `json:"requestContext"`
}

type gatewayReply struct {
	Status  int               `json:"statusCode"`
	Headers map[string]string `json:"headers,omitempty"`
	Cookies []string          `json:"cookies,omitempty"`
	Body    string            `json:"body"`
	Base64  bool              `json:"isBase64Encoded"`
}

var errLarge = fmt.Errorf("the request is too large: the limit of its body is %d bytes", maxRequest)

// request answers an HTTP request. What cannot be read is answered with 400, or 413: whoever sent it has it still.
func (i *invoker) request(ctx context.Context, payload []byte) ([]byte, error) {
	w := &recorder{header: http.Header{}}
	r, err := readRequest(ctx, payload)
	switch {
	case err == nil:
		i.f.HTTP.ServeHTTP(w, r)
	case errors.Is(err, errLarge):
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
	default:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	if err != nil {
		i.log.WarnContext(ctx, "request refused", "error", err)
	}
	return json.Marshal(w.reply())
}

// readRequest makes a request of a payload. Its errors repeat nothing of it.
func readRequest(ctx context.Context, payload []byte) (*http.Request, error) {
	var g gatewayRequest
	if json.Unmarshal(payload, &g) != nil {
		return nil, errors.New("the request's payload is not as AWS documents it")
	}
	body := []byte(g.Body)
	if g.Base64 {
		var err error
		if body, err = base64.StdEncoding.DecodeString(g.Body); err != nil {
			return nil, errors.New("the body is not valid base64")
		}
	}
	if len(body) > maxRequest {
		return nil, errLarge
	}
	target := &url.URL{Path: g.path(), RawQuery: g.Query}
	if !strings.HasPrefix(target.Path, "/") {
		return nil, errors.New("the path does not begin with a slash")
	}
	r, err := http.NewRequestWithContext(ctx, g.Context.HTTP.Method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the method or the path is not valid")
	}
	for _, name := range slices.Sorted(maps.Keys(g.Headers)) {
		r.Header.Add(name, g.Headers[name]) // one that stands in two spellings stands twice
	}
	if len(g.Cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(g.Cookies, "; "))
	}
	if r.Host = r.Header.Get("Host"); r.Host == "" {
		r.Host = g.Context.Domain
	}
	r.Header.Del("Host")
	r.RemoteAddr, r.RequestURI = g.Context.HTTP.IP+":0", target.RequestURI()
	return r, nil
}

// path is the path below the stage; API Gateway leaves the stage's name in front of it. Of slashes at its beginning one is left: the
// address of a function ends in one, and what follows two would be taken for a host.
func (g *gatewayRequest) path() string {
	path := g.Path
	if stage := g.Context.Stage; stage != "" && stage != "$default" {
		if rest, ok := strings.CutPrefix(path, "/"+stage); ok && (rest == "" || rest[0] == '/') {
			path = "/" + rest
		}
	}
	if path == "" {
		return "/"
	}
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	if path[0] != '/' {
		return path
	}
	return "/" + strings.TrimLeft(path, "/")
}

// recorder is the response that a handler writes.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

var _ http.ResponseWriter = (*recorder)(nil)

// Header returns the response's header.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader sets the status; the first one counts, and those that are no answer yet do not.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
}

// Write adds to the body.
func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// reply is the response as Lambda takes it. A body that is no text goes as base64.
func (w *recorder) reply() gatewayReply {
	w.WriteHeader(http.StatusOK)
	out := gatewayReply{Status: w.status, Headers: map[string]string{}, Body: w.body.String()}
	if w.header.Get("Content-Type") == "" && w.body.Len() > 0 {
		w.header.Set("Content-Type", http.DetectContentType(w.body.Bytes()))
	}
	for name, values := range w.header {
		if name == "Set-Cookie" {
			out.Cookies = values
			continue
		}
		out.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	if !utf8.ValidString(out.Body) {
		out.Body, out.Base64 = base64.StdEncoding.EncodeToString(w.body.Bytes()), true
	}
	return out
}
