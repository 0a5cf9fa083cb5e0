package lenient

import (
	"encoding/json"
	"testing"
)

// everything is a reply with one field of each forgiving type.
type everything struct {
	T Text
	N Number
	F Flag
	L List[struct{ A Text }]
	M Map
	O One[struct{ A Text }]
}

func TestLenient_AcceptsTheVendorsSpellings(t *testing.T) {
	for _, c := range []struct {
		name, body string
		good       func(everything) bool
	}{
		{"an object where a text is documented", `{"T":{"InstanceId": "i-1"}}`, func(e everything) bool { return e.T == `{"InstanceId":"i-1"}` }},
		{"a number where a text is documented", `{"T":1234567890123456789}`, func(e everything) bool { return e.T == "1234567890123456789" }},
		{"null", `{"T":null,"N":null,"F":null,"L":null,"M":null,"O":null}`, func(e everything) bool { return e.T == "" && e.N == 0 && !bool(e.F) && e.L == nil && e.M == nil }},
		{"a number in quotes", `{"N":"1700000000000"}`, func(e everything) bool { return e.N == 1700000000000 }},
		{"a number that is none", `{"N":"soon"}`, func(e everything) bool { return e.N == 0 }},
		{"a number with a fraction", `{"N":1.5e3}`, func(e everything) bool { return e.N == 1500 }},
		{"true in quotes", `{"F":"True"}`, func(e everything) bool { return bool(e.F) }},
		{"a list in quotes", `{"L":"[{\"A\":\"x\"}]"}`, func(e everything) bool { return len(e.L) == 1 && e.L[0].A == "x" }},
		{"a list inside an object", `{"L":{"Item":[{"A":"x"},{"A":{}}]}}`, func(e everything) bool { return len(e.L) == 2 && e.L[1].A == "{}" }},
		{"a list with something odd in it", `{"L":[1,{"A":"x"}]}`, func(e everything) bool { return len(e.L) == 1 }},
		{"a map in quotes", `{"M":"{\"k\":1}"}`, func(e everything) bool { return e.M["k"] == "1" }},
		{"a list of one for an object", `{"O":[{"A":"x"}]}`, func(e everything) bool { return e.O.Value.A == "x" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e everything
			if err := json.Unmarshal([]byte(c.body), &e); err != nil || !c.good(e) {
				t.Errorf("got %+v, %v", e, err)
			}
		})
	}
}

// TestWhole_IsAnErrorWhereSomethingWouldBeLeftOut takes the same spellings of a list, and none of its holes.
func TestWhole_IsAnErrorWhereSomethingWouldBeLeftOut(t *testing.T) {
	for body, want := range map[string]int{
		`[{"A":"x"},{"A":{}}]`: 2, `"[{\"A\":\"x\"}]"`: 1, `{"Item":[{"A":"x"}]}`: 1, `[]`: 0, `null`: 0, `""`: 0, `"无"`: 0, `{}`: 0,
		`[1,{"A":"x"}]`: -1, `[null]`: -1, `"soon"`: -1, `7`: -1, `{"a":[],"b":[]}`: -1, `{"Item":7}`: -1,
	} {
		var l Whole[struct{ A Text }]
		if err := json.Unmarshal([]byte(body), &l); (err != nil) != (want < 0) || err == nil && len(l) != want {
			t.Errorf("%s: %d elements, %v; want %d", body, len(l), err, want)
		}
	}
}

func FuzzLenient(f *testing.F) {
	f.Add([]byte(`{"T":{"a":[1]},"N":"7","F":"true","L":"[{}]","M":{"a":null},"O":[{"A":1}]}`))
	f.Add([]byte(`{"L":{"x":{"y":[]}},"N":1e999}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e everything
		var plain struct{ T, N, F, L, M, O json.RawMessage }
		if json.Unmarshal(data, &plain) == nil && json.Unmarshal(data, &e) != nil {
			t.Errorf("refused %q", data)
		}
	})
}
