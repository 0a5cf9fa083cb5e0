package cfg

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// The vector was made with the SDK's own signer.
func TestSignature_Vector(t *testing.T) {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Content-Type", "application/json")
	body := []byte(`{"TaskId":3256}`)
	if got := hashHex(body); got != "7b95e3838988f584dddac2c086434001515d4022a8687e71dde431b95a3ca341" {
		t.Errorf("body hash %s", got)
	}
	text := canonical(r, "cfg.tencentcloudapi.com", []string{"content-type", "host"}, body)
	if got := hashHex([]byte(text)); got != "1e56e2873edf85c8849ea34a101c07e5a38e7d83a08da7dd18d891485ba3d099" {
		t.Errorf("canonical hash %s of\n%s", got, text)
	}
	got := signature("SECRETEXAMPLE", authorization{id: "AKIDEXAMPLE", date: "2023-11-14", service: "cfg"}, "1700000000", text)
	if got != "b72c1baaa55c5be35dbd414f2d44e1696274797baa2ae42f1c9d0b4efc68526f" {
		t.Errorf("signature %s", got)
	}
}

func TestSignature_IsChecked(t *testing.T) {
	const body = `{"Limit":1,"Offset":0}`
	for name, c := range map[string]struct {
		bend func(*signed)
		want string
	}{
		"a wrong secret":                    {func(g *signed) { g.secret = "wrong" }, "AuthFailure.SignatureFailure"},
		"an unknown id":                     {func(g *signed) { g.id = "nobody" }, "AuthFailure.SecretIdNotFound"},
		"six minutes late":                  {func(g *signed) { g.at = g.at.Add(-6 * time.Minute) }, "AuthFailure.SignatureExpire"},
		"six minutes early":                 {func(g *signed) { g.at = g.at.Add(6 * time.Minute) }, "AuthFailure.SignatureExpire"},
		"another service":                   {func(g *signed) { g.service = "cvm" }, "AuthFailure.InvalidAuthorization"},
		"host is not signed":                {func(g *signed) { g.headers = []string{"content-type"} }, "AuthFailure.InvalidAuthorization"},
		"an unknown action":                 {func(g *signed) { g.action = "DropTables" }, "InvalidAction"},
		"another version":                   {func(g *signed) { g.version = "2019-01-01" }, "NoSuchVersion"},
		"four minutes late":                 {func(g *signed) { g.at = g.at.Add(-4 * time.Minute) }, ""},
		"more headers are signed":           {func(g *signed) { g.headers = []string{"content-type", "host", "x-tc-action"} }, ""},
		"the host's first label as service": {func(g *signed) { g.host, g.service = "127.0.0.1:8081", "127" }, ""},
		"a label with a port as service":    {func(g *signed) { g.host, g.service = "localhost:8081", "localhost:8081" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			g := w.plain("DescribeTaskList")
			c.bend(&g)
			if got := code(w.serve(g.request(body), body, service.Options{})); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestSignature_CoversTheBodyAndTheHeaders(t *testing.T) {
	w := newWorld(t)
	g := w.plain("DescribeTask")
	r := g.request(`{"TaskId":1}`)
	if got := code(w.serve(r, `{"TaskId":2}`, service.Options{})); got != "AuthFailure.SignatureFailure" {
		t.Errorf("another body: %q", got)
	}
	g.headers = []string{"content-type", "host", "x-tc-action"}
	r = g.request(`{"TaskId":1}`)
	r.Header.Set("X-TC-Action", "DeleteTask")
	if got := code(w.serve(r, `{"TaskId":1}`, service.Options{})); got != "AuthFailure.SignatureFailure" {
		t.Errorf("another action: %q", got)
	}
	for _, h := range []string{"", "Basic x", algorithm, algorithm + " Credential=a/b, SignedHeaders=content-type;host, Signature=0", strings.Repeat(",", 100)} {
		r = w.plain("DescribeTask").request(`{}`)
		r.Header.Set("Authorization", h)
		if got := code(w.serve(r, `{}`, service.Options{})); got != "AuthFailure.InvalidAuthorization" {
			t.Errorf("authorization %q: %q", h, got)
		}
	}
}

// The Node SDK signs the host without its port and names the service after the endpoint's first label.
func TestSignature_NodeSDK(t *testing.T) {
	w := newWorld(t)
	g := w.plain("DescribeTaskList")
	g.host, g.service = "127.0.0.1", "127"
	const body = `{"Limit":1,"Offset":0}`
	r := g.request(body)
	r.Host = "127.0.0.1:8081"
	if got := code(w.serve(r, body, service.Options{})); got != "" {
		t.Error(got)
	}
}
