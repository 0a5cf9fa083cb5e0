package dingtalk

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

func TestSignatures_AreTheVendorsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		of               mac
		key, ts, want    string
		timeName, header string
	}{
		"robot message, and custom robot": {robotMAC, "this is secret", "1577262236757", "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM=", headerTime, headerSign},
		"card callback":                   {cardMAC, "mySecret", "1595925864847", "xnBENZKoYbPiEX7TzjTy35B2Dv4RlEs6ks4/GYlmGOY=", headerCardTime, headerCardSign},
	} {
		t.Run(name, func(t *testing.T) {
			if got := base64.StdEncoding.EncodeToString(c.of(secret{c.key}, c.ts)); got != c.want {
				t.Fatalf("got %s, want %s", got, c.want)
			}
			h := http.Header{}
			h.Add(c.timeName, c.ts)
			h.Add(c.header, c.want)
			var ms int64
			for _, d := range c.ts {
				ms = ms*10 + int64(d-'0')
			}
			at := time.UnixMilli(ms)
			if _, err := verify(h, c.timeName, c.header, []secret{{"another"}, {c.key}}, c.of, at); err != nil {
				t.Errorf("verify: %v", err)
			}
			for _, keys := range [][]secret{nil, {{""}}, {{"another"}}} {
				if _, err := verify(h, c.timeName, c.header, keys, c.of, at); err != chat.ErrAuth {
					t.Errorf("%d keys: %v", len(keys), err)
				}
			}
			h.Set(c.header, base64.StdEncoding.EncodeToString(c.of(secret{}, c.ts)))
			if _, err := verify(h, c.timeName, c.header, []secret{{""}, {c.key}}, c.of, at); err != chat.ErrAuth {
				t.Errorf("signed with an empty secret, which is among ours: %v", err)
			}
		})
	}
	if got := (url.Values{"sign": {"a+/="}}).Encode(); got != "sign=a%2B%2F%3D" {
		t.Errorf("a signature in a query is encoded once: %s", got)
	}
}

func TestFresh_TakesThirteenDigitsWithinFiveMinutes(t *testing.T) {
	now := time.UnixMilli(1577262236757)
	for ts, want := range map[string]bool{
		"1577262236757": true, "1577261936757": true, "1577262536757": true, "1577261936756": false, "1577262536758": false,
		"": false, "1577262236": false, "+577262236757": false, "-577262236757": false, " 577262236757": false, "15772622367570": false, "157726223675x": false,
	} {
		if fresh(ts, now) != want {
			t.Errorf("%q: got %v", ts, !want)
		}
	}
}

func TestMemory_IsBoundedAndForgetsTheOldest(t *testing.T) {
	m, now := newMemory(), time.UnixMilli(1577262236757)
	key := func(i int) (k [32]byte) {
		k[0], k[1], k[2] = byte(i), byte(i>>8), byte(i>>16)
		return k
	}
	for i := range maxRemembered + 50 {
		if !m.admit(key(i), []byte("a"), now.Add(time.Duration(i)*time.Millisecond)) {
			t.Fatalf("%d: refused", i)
		}
	}
	if len(m.uses) > maxRemembered {
		t.Errorf("%d are remembered", len(m.uses))
	}
	last := maxRemembered + 49
	at := now.Add(time.Duration(last) * time.Millisecond)
	if m.admit(key(last), []byte("b"), at) || !m.admit(key(last), []byte("a"), at) {
		t.Error("the newest is not remembered")
	}
	later := now.Add(time.Hour)
	m.admit(key(last+1), []byte("a"), later)
	if len(m.uses) != 1 {
		t.Errorf("%d are remembered an hour later", len(m.uses))
	}
}
