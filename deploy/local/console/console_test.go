package console

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestHandler(t *testing.T) {
	h := Handler("SANDBOX")
	for _, c := range []struct {
		name, path string
		status     int
		kind       string
	}{
		{"a path that is no page", "/nothing", http.StatusNotFound, ""},
		{"a file that is not there", "/static/nothing.js", http.StatusNotFound, ""},
		{"a way out of the files", "/static/../console.go", http.StatusTemporaryRedirect, ""},
		{"the first page", "/", http.StatusOK, "text/html; charset=utf-8"},
		{"a drill's page", "/drills/k7m2drill0001", http.StatusOK, "text/html; charset=utf-8"},
		{"the chat platforms", "/chat", http.StatusOK, "text/html; charset=utf-8"},
		{"one of them", "/chat/slack", http.StatusOK, "text/html; charset=utf-8"},
		{"a script", "/static/app.js", http.StatusOK, "text/javascript; charset=utf-8"},
		{"the style sheet", "/static/console.css", http.StatusOK, "text/css; charset=utf-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := get(t, h, c.path)
			if w.Code != c.status {
				t.Errorf("GET %s: status %d, want %d", c.path, w.Code, c.status)
			}
			if got := w.Header().Get("Content-Type"); c.kind != "" && got != c.kind {
				t.Errorf("GET %s: type %q, want %q", c.path, got, c.kind)
			}
		})
	}
}

func TestHandler_refusesOtherMethods(t *testing.T) {
	w := httptest.NewRecorder()
	Handler("SANDBOX").ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /: status %d, want %d", w.Code, http.StatusMethodNotAllowed)
	}
}

func TestHandler_mode(t *testing.T) {
	for _, mode := range []string{"SANDBOX", "LIVE"} {
		if page := get(t, Handler(mode), "/").Body.String(); !strings.Contains(page, `data-mode="`+mode+`"`) {
			t.Errorf("the %s page does not carry its mode", mode)
		}
	}
	if page := get(t, Handler(`"><script>`), "/").Body.String(); strings.Contains(page, `"><script>`) {
		t.Error("the mode became markup")
	}
}

func TestHandler_policy(t *testing.T) {
	policy := get(t, Handler("SANDBOX"), "/").Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q allows inline code or styles", policy)
	}
}

// The page's own files never turn text into markup, and load nothing from elsewhere.
func TestFiles_noMarkupFromText(t *testing.T) {
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser|https?://`)
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(data), "\n") {
			if m := forbidden.FindString(line); m != "" && !strings.Contains(line, "http://www.w3.org/2000/svg") {
				t.Errorf("%s:%d holds %q", path, i+1, m)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
