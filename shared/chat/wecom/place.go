package wecom

import (
	"fmt"
	"strings"

	"github.com/firedrill/firedrill/shared/chat"
)

// everybody is all members who see the app.
const everybody = "@all"

// place is a destination, read.
type place struct {
	corp  string
	users string // "@all", or ids with | between
	party string // ids with | between
	tag   string
	robot string // a name
}

// parsePlace reads corp/@all, corp/alice|bob, corp/party:2, corp/tag:3 and corp/robot:name.
func parsePlace(to chat.Address) (place, error) {
	corp, target, _ := strings.Cut(to.Place, "/")
	p := place{corp: corp}
	kind, ids, typed := strings.Cut(target, ":")
	switch {
	case to.Platform != chat.WeCom:
		return place{}, badAddress(to, "it is not on WeCom")
	case target == everybody:
		p.users = target
	case typed && kind == "robot" && word(ids, 1, 64):
		p.robot = ids
	case typed && kind == "party" && each(ids, 100, number):
		p.party = ids
	case typed && kind == "tag" && each(ids, 100, number):
		p.tag = ids
	case !typed && each(target, 1000, userID):
		p.users = target
	default:
		return place{}, badAddress(to, "want wecom:COMPANY/ and then @all, alice|bob, party:2, tag:3 or robot:NAME")
	}
	return p, nil
}

func badAddress(to chat.Address, why string) error {
	return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%w: %s: %s", chat.ErrAddress, chat.Cut(to.String(), 80), why)}
}

func number(s string) bool { return digits(s, 10) }

// each reports whether s is at most n good ids with | between.
func each(s string, n int, good func(string) bool) bool {
	ids := strings.Split(s, "|")
	for _, id := range ids {
		if !good(id) {
			return false
		}
	}
	return len(ids) <= n
}
