package grammar

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/words"
)

// Error is a command that cannot be read: which word, what is wrong with it, and what to write instead.
type Error struct {
	Token   string // the word, "" when one is missing
	Problem words.Phrase
	Fix     words.Phrase
}

// Error says it in one or two sentences for the person who typed the command.
func (e *Error) Error() string { return e.In(words.English) }

// In says it in a language.
func (e *Error) In(l words.Lang) string {
	stop, s := ".", e.Problem.In(l, chinese())
	if l == words.Chinese {
		stop = "。"
	}
	if e.Token != "" {
		s = fmt.Sprintf("%q: %s", chat.Line(e.Token, 60), s)
	}
	if !e.Fix.Empty() {
		first, size := utf8.DecodeRuneInString(e.Fix.In(l, chinese()))
		s += stop + gap(l) + string(unicode.ToUpper(first)) + e.Fix.In(l, chinese())[size:]
	}
	return s + stop
}

// gap stands between two sentences.
func gap(l words.Lang) string {
	if l == words.Chinese {
		return ""
	}
	return " "
}

// maxNear is the longest word, in bytes, that is compared with others.
const maxNear = 64

// Near returns the candidate that differs least from what was typed, "" when none is close.
func Near(typed string, candidates []string) string {
	typed = strings.ToLower(typed)
	if len(typed) > maxNear {
		return ""
	}
	best, least := "", max(2, len([]rune(typed))/3)+1
	for _, c := range candidates {
		if d := distance(typed, strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	if least >= len([]rune(typed)) {
		return ""
	}
	return best
}

// distance counts the edits between two words; neighbours that changed places are one.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(y) > maxNear {
		return maxNear
	}
	before, prev, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(y)]
}
