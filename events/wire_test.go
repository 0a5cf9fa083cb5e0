package events

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// structured writes an event by hand, so that it can hold what New would never make.
func structured(typ, data string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"a1","source":"/firedrill/test/x","type":%q,"datacontenttype":"application/json","data":%s}`, typ, data)
}

func TestParse_refuses(t *testing.T) {
	whole := structured(TypeStop, `{"drill":"d","actor":"a"}`)
	for name, in := range map[string]string{
		"nothing":                         "",
		"no json":                         "hello",
		"cut short":                       whole[:len(whole)-1],
		"a list":                          "[" + whole + "]",
		"a second document":               whole + "{}",
		"text after the document":         whole + " x",
		"null":                            "null",
		"a string":                        `"event"`,
		"no id":                           strings.Replace(whole, `"id":"a1",`, "", 1),
		"an empty id":                     strings.Replace(whole, `"a1"`, `""`, 1),
		"an id that is a number":          strings.Replace(whole, `"a1"`, `1`, 1),
		"no source":                       strings.Replace(whole, `"source":"/firedrill/test/x",`, "", 1),
		"no type":                         strings.Replace(whole, `"type":"`+TypeStop+`",`, "", 1),
		"no specversion":                  strings.Replace(whole, `"specversion":"1.0",`, "", 1),
		"an older specversion":            strings.Replace(whole, `"1.0"`, `"0.3"`, 1),
		"a later specversion":             strings.Replace(whole, `"1.0"`, `"2.0"`, 1),
		"a time that is none":             strings.Replace(whole, `"data":`, `"time":"yesterday","data":`, 1),
		"an id that stands twice":         strings.Replace(whole, `"id":"a1"`, `"id":"a1","id":"a2"`, 1),
		"data that stands twice":          strings.Replace(whole, `"data":`, `"data":{},"data":`, 1),
		"a payload key that stands twice": strings.Replace(whole, `{"drill":"d"`, `{"drill":"d","drill":"e"`, 1),
		"invalid UTF-8":                   strings.Replace(whole, `"d"`, "\"\xff\xfe\"", 1),
		"more than the limit":             structured(TypeStop, `{"drill":"d","actor":"a","reason":"`+strings.Repeat("x", MaxBytes)+`"}`),
	} {
		t.Run(name, func(t *testing.T) {
			if e, err := Parse([]byte(in)); !errors.Is(err, ErrInvalid) {
				t.Errorf("Parse = %v, %v; want ErrInvalid", e, err)
			}
		})
	}
}

func TestParse_readsAnEventOfExactlyTheLimit(t *testing.T) {
	frame := len(structured(TypeStop, `{"drill":"d","actor":"a","x":""}`))
	in := structured(TypeStop, `{"drill":"d","actor":"a","x":"`+strings.Repeat("x", MaxBytes-frame)+`"}`)
	if len(in) != MaxBytes {
		t.Fatalf("the test's event has %d bytes", len(in))
	}
	e, err := Parse([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode[Stop](e); err != nil {
		t.Error(err)
	}
}

func TestDecode_refuses(t *testing.T) {
	for name, data := range map[string]string{
		"no data":                               `null`,
		"a list":                                `[]`,
		"a string":                              `"d"`,
		"an empty object":                       `{}`,
		"a drill that is a number":              `{"drill":1,"actor":"a"}`,
		"a drill that is null":                  `{"drill":null,"actor":"a"}`,
		"a blank actor":                         `{"drill":"d","actor":" "}`,
		"a key twice":                           `{"drill":"d","actor":"a","actor":"b"}`,
		"a key twice in different case":         `{"drill":"d","actor":"a","Actor":"b"}`,
		"a key twice with a letter that folds":  `{"drill":"d","actor":"a","reason":"r","rea\u017fon":"s"}`,
		"a key twice, written with an escape":   `{"drill":"d","actor":"a","\u0061ctor":"b"}`,
		"a key twice deep inside":               `{"drill":"d","actor":"a","x":[{"y":1,"y":2}]}`,
		"a drill longer than text may be":       `{"drill":"` + strings.Repeat("d", maxText+1) + `","actor":"a"}`,
		"a reason longer than text may be":      `{"drill":"d","actor":"a","reason":"` + strings.Repeat("火", maxText/3+1) + `"}`,
		"data of more bytes than an event's":    `{"drill":"d","actor":"a","x":"` + strings.Repeat("x", MaxBytes) + `"}`,
		"data with bytes that are not UTF-8":    "{\"drill\":\"\xc3\x28\",\"actor\":\"a\"}",
		"a number where the reason is expected": `{"drill":"d","actor":"a","reason":7}`,
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := Decode[Stop](raw(t, TypeStop, data)); !errors.Is(err, ErrInvalid) {
				t.Errorf("Decode = %+v, %v; want ErrInvalid", p, err)
			}
		})
	}
}

// raw makes an event around bytes that no encoder has seen.
func raw(t testing.TB, typ, data string) Event {
	t.Helper()
	e, err := New(Envelope{ID: "a1", Source: "/firedrill/test/x", Time: time.Unix(0, 0)}, Tick{At: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	e.SetType(typ)
	if err := e.SetData("application/json", []byte(data)); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestDecode_refusesAnotherType(t *testing.T) {
	e := raw(t, TypeReject, `{"drill":"d","actor":"a"}`)
	if p, err := Decode[Approve](e); !errors.Is(err, ErrInvalid) {
		t.Errorf("a rejection was read as an approval: %+v, %v", p, err)
	}
}

func TestDecode_listsEveryMistake(t *testing.T) {
	_, err := Decode[Conclude](raw(t, TypeConclude, `{"verdict":"maybe"}`))
	for _, field := range []string{"drill", "actor", "verdict", "summary"} {
		if err == nil || !strings.Contains(err.Error(), field+": ") {
			t.Errorf("the error does not name %s: %v", field, err)
		}
	}
}

func TestDecode_takesKeysThatDifferOnlyInCaseBelowTheTop(t *testing.T) {
	e := raw(t, TypeStart, `{"plan":"p","actor":"a","parameters":{"Size":1,"size":2}}`)
	p, err := Decode[Start](e)
	if err != nil || len(p.Parameters) != 2 {
		t.Errorf("Decode = %+v, %v", p, err)
	}
}

func TestHalt_scope(t *testing.T) {
	for scope, legal := range map[string]bool{
		"": false, "all ": false, "ALL": false, "plan/": false, "environment/": false, "plan": false, "service/fis": false,
		"all": true, "plan/x": true, "environment/production": true, "plan/购物车": true,
	} {
		if err := (Halt{Scope: scope, Actor: "a"}).Validate(); (err == nil) != legal {
			t.Errorf("scope %q: %v, want legal %v", scope, err, legal)
		}
	}
}

func TestNew_refuses(t *testing.T) {
	ok := Envelope{ID: "a1", Source: "/firedrill/test/x", Time: time.Unix(0, 0)}
	for name, c := range map[string]struct {
		env Envelope
		p   Payload
	}{
		"no id":                      {Envelope{Source: ok.Source}, Stop{Drill: "d", Actor: "a"}},
		"no source":                  {Envelope{ID: "a1"}, Stop{Drill: "d", Actor: "a"}},
		"a payload with a mistake":   {ok, Stop{Drill: "d"}},
		"text that is not UTF-8":     {ok, Stop{Drill: "d", Actor: "a", Reason: "\xff"}},
		"an event above the limit":   {ok, Advance{Drill: "d", Actor: "a", Action: "skip", Targets: []string{strings.Repeat("x", MaxBytes)}}},
		"an envelope above it alone": {Envelope{ID: "a1", Source: ok.Source, Subject: strings.Repeat("x", MaxBytes)}, Stop{Drill: "d", Actor: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(c.env, c.p); !errors.Is(err, ErrInvalid) {
				t.Errorf("New = %v, want ErrInvalid", err)
			}
		})
	}
}

func TestSequence_readsTextAndNumber(t *testing.T) {
	for in, want := range map[string]int{`"7"`: 7, `7`: 7, `"x"`: 0, `"-7"`: 0, `-7`: 0, `true`: 0, `""`: 0} {
		s := strings.Replace(structured(TypeStop, `{"drill":"d","actor":"a"}`), `"data":`, `"sequence":`+in+`,"data":`, 1)
		e, err := Parse([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		if got := Sequence(e); got != want {
			t.Errorf("sequence %s = %d, want %d", in, got, want)
		}
	}
}

func TestID_isDerivedAndKeepsPartsApart(t *testing.T) {
	seen := map[string]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"a", "b", "c"}, {"1:a"}, {"火"}} {
		id := ID(parts...)
		if len(id) != 13 || id != ID(parts...) || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Errorf("ID(%q) = %q: want the same 13 lower-case letters and digits each time", parts, id)
		}
		if other, ok := seen[id]; ok {
			t.Errorf("ID(%q) equals that of %s", parts, other)
		}
		seen[id] = fmt.Sprintf("%q", parts)
	}
	if FactID("d", 1, 12) == FactID("d", 11, 2) {
		t.Error("two facts have one id")
	}
}

// goldens returns every golden event, as seeds and as load.
func goldens(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden events: %v", err)
	}
	out := map[string][]byte{}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(p)] = b
	}
	return out
}

// FuzzParse: whatever Parse takes can be written and read again, and every refusal is ErrInvalid.
func FuzzParse(f *testing.F) {
	for _, b := range goldens(f) {
		f.Add(b)
	}
	f.Add([]byte(structured(TypeStop, `"\ud800"`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("an error that does not wrap ErrInvalid: %v", err)
			}
			return
		}
		again, err := e.MarshalJSON()
		if err != nil {
			t.Fatalf("write what was read: %v", err)
		}
		if len(again) > MaxBytes {
			return
		}
		if e2, err := Parse(again); err != nil || e2.ID() != e.ID() || e2.Type() != e.Type() || e2.Source() != e.Source() {
			t.Errorf("read what was written: %v\n%s", err, again)
		}
	})
}

// FuzzDecode: no payload makes Decode panic, every refusal is ErrInvalid, and what is taken can be sent again.
func FuzzDecode(f *testing.F) {
	rows := contract()
	for i, r := range rows {
		e, err := Parse(goldens(f)[r.file()])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), e.Data())
	}
	f.Fuzz(func(t *testing.T, i uint8, data []byte) {
		r := rows[int(i)%len(rows)]
		p, err := r.decode(raw(t, r.typ, string(data)))
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("an error that does not wrap ErrInvalid: %v", err)
			}
			return
		}
		if err := p.Validate(); err != nil {
			t.Errorf("Decode returned what does not validate: %v", err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	e, err := Parse(goldens(b)["drill.concluded.v1.json"])
	if err != nil {
		b.Fatal(err)
	}
	p, err := Decode[Concluded](e)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e, err := New(Envelope{ID: "a1", Source: "/firedrill/home/conclude", Subject: p.Drill, Time: p.At, Cause: "c", Sequence: 7}, p)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := e.MarshalJSON(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	golden := goldens(b)["drill.concluded.v1.json"]
	b.SetBytes(int64(len(golden)))
	b.ReportAllocs()
	for b.Loop() {
		e, err := Parse(golden)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Decode[Concluded](e); err != nil {
			b.Fatal(err)
		}
	}
}
