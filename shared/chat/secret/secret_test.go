package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/chat/secret"
)

func TestText_IsNeverPrinted(t *testing.T) {
	s := secret.New("hunter2")
	js, err := json.Marshal(map[string]any{"one": s, "many": []secret.Text{s}, "in": struct{ S secret.Text }{s}})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "one", s, "many", []secret.Text{s})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "one", s, "many", []secret.Text{s})
	all := []secret.Text{s}
	for _, shown := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v", s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), fmt.Sprintf("%s %q", s, s), fmt.Sprintf("%x", s),
		fmt.Sprintf("%v %+v %#v", all, all, all), fmt.Sprintf("%v", &s), s.LogValue().String(), string(js), log.String(),
	} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, "68756e74") {
			t.Errorf("shown: %s", shown)
		}
	}
	if s.Reveal() != "hunter2" || (secret.Text{}).Reveal() != "" {
		t.Error("it is not there where it is used")
	}
}

func TestList_LeavesOutWhatIsEmpty(t *testing.T) {
	for s, want := range map[string][]string{
		"": nil, " ": nil, " , ,": nil, "a": {"a"}, " a , b ,": {"a", "b"}, ",a,,b c": {"a", "b c"}, "a=b:c,a": {"a=b:c", "a"}, "a\n,\tb": {"a", "b"},
	} {
		if got := secret.List(s); !slices.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%q: %q", s, got)
		}
	}
}
