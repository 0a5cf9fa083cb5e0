package catalog

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// longestName bounds the work of comparing names.
const longestName = 128

// nearest returns up to three of names that look like name, the most alike first.
func nearest(name string, names []string) []string {
	type scored struct {
		name string
		off  int
	}
	if name == "" || len(name) > longestName {
		return nil
	}
	low := strings.ToLower(name)
	limit := min(3, max(1, utf8.RuneCountInString(low)/3))
	var found []scored
	for _, n := range names {
		off := distance(low, strings.ToLower(n))
		if part := strings.ToLower(n); len(low) >= 3 && (strings.HasPrefix(part, low) || strings.Contains(part, "-"+low)) {
			off = min(off, limit)
		}
		if off <= limit {
			found = append(found, scored{n, off})
		}
	}
	slices.SortFunc(found, func(a, b scored) int { return cmp.Or(cmp.Compare(a.off, b.off), cmp.Compare(a.name, b.name)) })
	var out []string
	for _, f := range found[:min(3, len(found))] {
		out = append(out, f.name)
	}
	return out
}

// distance counts the letters to insert, drop, replace or swap with their neighbour between a and b.
func distance(a, b string) int {
	ar, br := []rune(a), []rune(b)
	if d := len(ar) - len(br); d > 3 || d < -3 {
		return max(len(ar), len(br))
	}
	older, old, row := make([]int, len(br)+1), make([]int, len(br)+1), make([]int, len(br)+1)
	for j := range old {
		old[j] = j
	}
	for i := range ar {
		row[0] = i + 1
		for j := range br {
			replaced := old[j]
			if ar[i] != br[j] {
				replaced++
			}
			row[j+1] = min(replaced, old[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && ar[i] == br[j-1] && ar[i-1] == br[j] {
				row[j+1] = min(row[j+1], older[j-1]+1)
			}
		}
		older, old, row = old, row, older
	}
	return old[len(br)]
}

// instead words a fix for an unknown name: the nearest ones, or all of them if there are few.
func instead(name string, names []string) string {
	if near := nearest(name, names); len(near) > 0 {
		return "did you mean " + strings.Join(near, " or ") + "?"
	}
	if len(names) > 0 && len(names) <= 12 {
		sortedNames := slices.Sorted(slices.Values(names))
		return "known: " + strings.Join(sortedNames, ", ")
	}
	return ""
}
