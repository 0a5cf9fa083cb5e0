package token_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/chat/token/tokentest"
)

var now = time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)

func keys(t *testing.T, seeds ...byte) token.Keys {
	t.Helper()
	var list []string
	for _, b := range seeds {
		list = append(list, base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune('a'+b)), 32))))
	}
	k, err := token.ParseKeys(strings.Join(list, ","))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func press() token.Press {
	return token.Press{Verb: "approve", Drill: "abcdefghijkl2", Of: token.Of("start@3", strings.Repeat("f", 64)), Until: now.Add(30 * time.Minute)}
}

func TestOpenPress_RefusesWhatWasNotMadeHere(t *testing.T) {
	k := keys(t, 0)
	good, err := k.Press(press())
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	swap := func(i int, s string) string {
		p := append([]string{}, parts...)
		p[i] = s
		return strings.Join(p, ".")
	}
	for name, s := range map[string]string{
		"nothing":            "",
		"a word":             "approve",
		"another verb":       swap(1, "stop"),
		"another drill":      swap(2, "zbcdefghijkl2"),
		"another gate":       swap(3, "aaaaaaaa"),
		"more time":          swap(4, "zzzzzz"),
		"another version":    swap(0, "2"),
		"no mac":             swap(5, ""),
		"a cut mac":          good[:len(good)-1],
		"one part more":      good + ".x",
		"too long":           good + strings.Repeat("x", 80),
		"another deployment": mustPress(t, keys(t, 1)),
		"a link's token":     mustLink(t, k),
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := k.OpenPress(s, now); !errors.Is(err, token.ErrForged) || p != (token.Press{}) {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
	if p, err := (token.Keys{}).OpenPress(good, now); !errors.Is(err, token.ErrForged) {
		t.Errorf("no keys: %+v, %v", p, err)
	}
	if _, err := (token.Keys{}).Press(press()); err == nil {
		t.Error("no keys: signed")
	}
}

func mustPress(t *testing.T, k token.Keys) string {
	t.Helper()
	s, err := k.Press(press())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustLink(t *testing.T, k token.Keys) string {
	t.Helper()
	s, err := k.Link(press().Drill, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPress_LastsUntilItsTimeAndAcrossAChangeOfKeys(t *testing.T) {
	old := mustPress(t, keys(t, 0))
	both := keys(t, 1, 0)
	p, err := both.OpenPress(old, now.Add(30*time.Minute))
	if err != nil || p.Verb != "approve" || p.Drill != press().Drill || p.Of != press().Of || !p.Until.Equal(press().Until) {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := both.OpenPress(old, now.Add(31*time.Minute)); !errors.Is(err, token.ErrExpired) || p.Drill != press().Drill {
		t.Errorf("late: %+v, %v", p, err)
	}
	if len(old) > token.MaxPress || strings.Trim(old, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-") != "" {
		t.Errorf("token %q of %d", old, len(old))
	}
}

func TestPress_RefusesWhatItCannotHold(t *testing.T) {
	k := keys(t, 0)
	for name, change := range map[string]func(*token.Press){
		"no verb":         func(p *token.Press) { p.Verb = "" },
		"a dot":           func(p *token.Press) { p.Drill = "a.b" },
		"too long a verb": func(p *token.Press) { p.Verb = strings.Repeat("v", 60) },
	} {
		p := press()
		change(&p)
		if s, err := k.Press(p); err == nil {
			t.Errorf("%s: %q", name, s)
		}
	}
}

func TestOpenLink(t *testing.T) {
	k := keys(t, 0)
	s := mustLink(t, k)
	if err := k.OpenLink(press().Drill, s, now); err != nil {
		t.Error(err)
	}
	if err := k.OpenLink("anotherdrill2", s, now); !errors.Is(err, token.ErrForged) {
		t.Errorf("another drill: %v", err)
	}
	if err := k.OpenLink(press().Drill, s, now.Add(2*time.Hour)); !errors.Is(err, token.ErrExpired) {
		t.Errorf("late: %v", err)
	}
	for _, bad := range []string{"", ".", "x", mustPress(t, k), s + "x", s[1:]} {
		if err := k.OpenLink(press().Drill, bad, now); !errors.Is(err, token.ErrForged) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestSeal_HidesAndRefuses(t *testing.T) {
	k := keys(t, 0)
	const url = "https://hooks.slack.com/commands/T1/hunter2"
	sealed, err := k.Seal(url)
	if err != nil || strings.Contains(sealed, "hunter2") {
		t.Fatal(sealed, err)
	}
	if got, err := keys(t, 1, 0).Open(sealed); got != url || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"", "x", sealed[:len(sealed)-2], "A" + sealed, "!" + sealed} {
		if got, err := k.Open(bad); !errors.Is(err, token.ErrForged) {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
	if got, err := keys(t, 2).Open(sealed); !errors.Is(err, token.ErrForged) {
		t.Errorf("another deployment: %q, %v", got, err)
	}
}

func TestParseKeys_HidesThem(t *testing.T) {
	for _, bad := range []string{"", " , ", "hunter2", base64.StdEncoding.EncodeToString([]byte("hunter2"))} {
		if _, err := token.ParseKeys(bad); err == nil || strings.Contains(err.Error(), "hunter2") || bad != "" && len(bad) > 4 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	k := keys(t, 0)
	if s := fmt.Sprintf("%v %+v %#v %s", k, k, k, k); strings.Contains(s, "97") || strings.Contains(s, "aaaa") {
		t.Error(s)
	}
	if k.Empty() || !(token.Keys{}).Empty() || tokentest.New().Empty() {
		t.Error("empty")
	}
}

func FuzzOpenPress(f *testing.F) {
	k := tokentest.New()
	good, err := k.Press(press())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("1.approve.a.b.c.d")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := k.OpenPress(s, now); err == nil && s != good {
			t.Errorf("opened %q", s)
		}
	})
}
