package catalog_test

import (
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
)

func TestTargets(t *testing.T) {
	groups := func(names ...any) map[string]any {
		return map[string]any{"groups": []any{map[string]any{"instances": names}}}
	}
	for _, c := range []struct {
		bounds drill.Bounds
		block  map[string]any
		want   string
	}{
		{drill.Bounds{Min: 1, Max: 12}, groups("a"), "1 to 12"},
		{drill.Bounds{Max: 12}, nil, "at most 12"},
		{drill.Bounds{Min: 2}, nil, "at least 2"},
		{drill.Bounds{Min: 3, Max: 3}, nil, "3"},
		{drill.Bounds{}, groups("ins-a", "ins-b"), "ins-a, ins-b"},
		{drill.Bounds{}, groups("a", "b", "c", "d", "e", "f", "g"), "a, b, c, d, e and 2 more"},
		{drill.Bounds{}, map[string]any{"instances": "all", "groups": []any{map[string]any{"instances": []any{"a", 7}}, map[string]any{"instances": []any{"b", "a"}}}}, "a, b"},
		{drill.Bounds{}, map[string]any{"template": "EXT1"}, ""},
		{drill.Bounds{}, nil, ""},
	} {
		if got := catalog.Targets(drill.Plan{Targets: c.bounds}, c.block); got != c.want {
			t.Errorf("%+v, %v: %q, want %q", c.bounds, c.block, got, c.want)
		}
	}
}

func TestSlot_InZone(t *testing.T) {
	for zone, want := range map[string]string{"Europe/Berlin": "2026-11-24T10:00:00+01:00", "Asia/Shanghai": "2026-11-24T17:00:00+08:00", "Nowhere": "2026-11-24T09:00:00Z"} {
		s := catalog.Slot{At: at(t, "2026-11-24T09:00:00Z"), Local: "2026-11-24T10:00[" + zone + "]"}
		if got := s.InZone().Format("2006-01-02T15:04:05Z07:00"); got != want {
			t.Errorf("in %s it is %s", zone, got)
		}
	}
}

func TestTargets_longNamesAreCut(t *testing.T) {
	got := catalog.Targets(drill.Plan{}, map[string]any{"instances": []any{strings.Repeat("演", 70_000), "b"}})
	if want := strings.Repeat("演", 200) + "…, b"; got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}
