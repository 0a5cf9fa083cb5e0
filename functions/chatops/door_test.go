package chatops_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/chat"
)

func TestDoor_OneAnswerToAllThatCannotBeTrusted(t *testing.T) {
	w, p := room(t)
	p.err = errors.Join(errors.New("hunter2"), chat.ErrAuth)
	code, text := w.as(p, "BOB", "1", "stop all", "")
	if code != http.StatusUnauthorized || text != "{\"text\":\"not authorised\"}\n" || len(w.inputs) != 0 || strings.Contains(w.log.String(), "hunter2") {
		t.Errorf("%d %s", code, text)
	}
	p.err = errors.New("text: missing")
	if code, _ := w.as(p, "BOB", "1", "stop all", ""); code != http.StatusBadRequest || len(w.inputs) != 0 {
		t.Errorf("unreadable: %d", code)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/chat/feishu", strings.NewReader("{}")))
	if rec.Code != http.StatusNotFound {
		t.Errorf("a platform that is not set up: %d", rec.Code)
	}
	rec = httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/chat/slack", strings.NewReader(strings.Repeat("x", 300<<10))))
	if rec.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("oversized: %d", rec.Code)
	}
}
