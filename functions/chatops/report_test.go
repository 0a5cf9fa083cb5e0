package chatops_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestReport_NeedsALinkThatIsGood(t *testing.T) {
	w, _ := room(t)
	get := func(path string) (int, string, http.Header) {
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		return rec.Code, rec.Body.String(), rec.Header()
	}
	good := w.f.Keys.Signed("/r/"+first, first, now)
	code, text, h := get(good)
	if code != http.StatusOK || text != "<p>the report</p>" || h.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d %s %v", code, text, h)
	}
	for path, want := range map[string]string{
		"/r/" + first: "nothing here", strings.Replace(good, first, second, 1): "nothing here", good + "x": "nothing here",
		"/r/..%2f..%2fx?t=1": "nothing here", w.f.Keys.Signed("/r/"+second, second, now): "no report yet",
	} {
		if code, text, _ := get(path); code != http.StatusNotFound || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	w.clock = now.Add(25 * time.Hour)
	if code, text, _ := get(good); code != http.StatusGone || !strings.Contains(text, "/drill report k7m2q4x9") {
		t.Errorf("old: %d %s", code, text)
	}
}
