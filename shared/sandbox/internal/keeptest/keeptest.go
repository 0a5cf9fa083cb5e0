// Package keeptest holds what the tests of every service.Keeper share.
package keeptest

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// Service is a service that can be kept.
type Service interface {
	service.Service
	service.Keeper
}

// Fields checks that the kept type has a field for each field of the type that it keeps, so that a new one is not
// forgotten. Those in except are made again from others.
func Fields[Of, In any](t *testing.T, except ...string) {
	t.Helper()
	of, in := reflect.TypeFor[Of](), reflect.TypeFor[In]()
	for i := range of.NumField() {
		name := of.Field(i).Name
		_, ok := in.FieldByNameFunc(func(n string) bool { return strings.EqualFold(n, name) })
		if !ok && !slices.Contains(except, name) {
			t.Errorf("%s.%s is not kept: add it to %s", of.Name(), name, in.Name())
		}
	}
}

// Refuses checks that damaged and foreign data are errors that name the service, and that none changes it.
func Refuses(t *testing.T, open func() Service, good []byte) {
	t.Helper()
	s := open()
	name := s.Name()
	version := regexp.MustCompile(`"version":\d+`).FindString(string(good))
	cases := map[string]string{
		"nothing": "", "null": "null", "a list": "[]", "an empty object": "{}", "text": "hello", "zeros": strings.Repeat("\x00", 512),
		"another service's":   strings.Replace(string(good), fmt.Sprintf(`{"service":%q`, name), `{"service":"other"`, 1),
		"a later version":     strings.Replace(string(good), version, version+"0", 1),
		"a field too many":    strings.Replace(string(good), `"state":{`, `"state":{"Surprise":1,`, 1),
		"two documents":       string(good) + string(good),
		"a state of numbers":  fmt.Sprintf(`{"service":%q,%s,"state":[1,2]}`, name, version),
		"a state that is nil": fmt.Sprintf(`{"service":%q,%s}`, name, version),
	}
	for n := 1; n < len(good); n += max(len(good)/40, 1) {
		cases[fmt.Sprintf("the first %d bytes", n)] = string(good[:n])
	}
	before := save(t, s)
	for what, data := range cases {
		err := s.Load([]byte(data))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v, want one that names %s", what, err, name)
		}
		if after := save(t, s); !bytes.Equal(before, after) {
			t.Fatalf("%s: the state changed from %s to %s", what, before, after)
		}
	}
	if err := s.Load(good); err != nil {
		t.Errorf("the undamaged state: %v", err)
	}
}

// Fuzz feeds Load with anything: it refuses and changes nothing, or the service works and what it saves can be loaded.
func Fuzz(f *testing.F, open func() Service, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := open()
		before := save(t, s)
		if err := s.Load(data); err != nil {
			if after := save(t, s); !bytes.Equal(before, after) {
				t.Fatalf("refused with %v, and the state changed to %s", err, after)
			}
			return
		}
		s.Tick()
		s.Runs()
		s.Snapshot()
		again := save(t, s)
		if err := open().Load(again); err != nil {
			t.Fatalf("what was loaded cannot be loaded again: %v\n%s", err, again)
		}
	})
}

func save(t *testing.T, s Service) []byte {
	t.Helper()
	b, err := s.Save()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
