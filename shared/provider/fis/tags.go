package fis

import (
	"maps"
	"strings"
	"unicode"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// The tags that mark a run as ours.
const (
	tagPrefix = "firedrill:"
	tagDrill  = tagPrefix + "drill"
	tagRole   = tagPrefix + "role"
	tagRoot   = tagPrefix + "root"
	tagPlan   = tagPrefix + "plan"
	tagActor  = tagPrefix + "actor"
	tagMode   = tagPrefix + "mode"
	tagName   = "Name" // what the console shows
)

// tagText keeps what AWS allows in tags: letters of any script, numbers, spaces and _ . : / = + - @. The rest becomes
// one space, and the end is cut off.
func tagText(s string, limit int) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("_.:/=+-@", r) {
			return r
		}
		return ' '
	}, s)
	runes := []rune(strings.Join(strings.Fields(clean), " "))
	if len(runes) > limit {
		runes = runes[:limit]
	}
	return strings.TrimSpace(string(runes))
}

// marks are the tags of the request's run: those of the plan, and our own.
func marks(r driver.Request, plan map[string]string) map[string]string {
	out := maps.Clone(plan)
	if out == nil {
		out = map[string]string{}
	}
	for k, v := range map[string]string{
		tagDrill: r.Drill, tagRole: string(r.Role), tagRoot: r.Root, tagPlan: r.Plan, tagActor: r.Actor, tagMode: r.Mode, tagName: r.Title,
	} {
		if v = tagText(v, maxTagValue); v == "" {
			continue
		}
		if _, given := plan[k]; !given {
			out[k] = v
		}
	}
	return out
}

// marked tells whether the tags are those of the request's run.
func marked(tags map[string]string, r driver.Request) bool {
	return tags[tagDrill] == tagText(r.Drill, maxTagValue) && tags[tagRole] == string(r.Role) && tags[tagRoot] == tagText(r.Root, maxTagValue)
}

func roleOf(tags map[string]string) drill.Role {
	if role := drill.Role(tags[tagRole]); role != "" {
		return role
	}
	return drill.Main
}
