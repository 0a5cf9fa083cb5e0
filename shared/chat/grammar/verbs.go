package grammar

import (
	"strings"

	"github.com/firedrill/firedrill/shared/chat/words"
)

// Verb is the first word of a command.
type Verb string

// The verbs.
const (
	List     Verb = "list"
	Plan     Verb = "plan"
	Start    Verb = "start"
	Status   Verb = "status"
	Execute  Verb = "advance" // advance and its siblings answer a gate
	Skip     Verb = "skip"
	Retry    Verb = "retry"
	Cancel   Verb = "cancel"
	Complete Verb = "complete"
	Pause    Verb = "pause"
	Resume   Verb = "resume"
	Approve  Verb = "approve"
	Reject   Verb = "reject"
	Stop     Verb = "stop"
	Halt     Verb = "halt"
	Release  Verb = "release"
	Note     Verb = "note"
	Answer   Verb = "answer"
	Conclude Verb = "conclude"
	Next     Verb = "next"
	Report   Verb = "report"
	Help     Verb = "help"
)

// usage is one verb's line in the help.
type usage struct {
	Verb    Verb
	Form    string
	Does    string
	Example string
	also    []string // other words for it
}

// table holds every verb, in the order in which help shows them.
func table() []usage {
	return []usage{
		{List, "list", "what may be run", "list", []string{"ls", "plans", "列表"}},
		{Plan, "plan NAME", "one plan and its parameters", "plan checkout-az-outage", []string{"show", "计划"}},
		{Start, "start NAME [k=v ...] [dry-run]", "start a drill", `start cart-cpu seconds=60`, []string{"run", "启动", "开始"}},
		{Status, "status [ID]", "where a drill stands, or all that are active", "status k7m2", []string{"st", "drills", "状态"}},
		{Execute, "advance ID [STEP]", "carry on at the open gate", "advance k7m2", []string{"execute", "go", "continue", "推进", "执行"}},
		{Skip, "skip ID [STEP]", "leave the step out", "skip k7m2 3", []string{"跳过"}},
		{Retry, "retry ID [STEP]", "try the failed step again", "retry k7m2", []string{"重试"}},
		{Cancel, "cancel ID [STEP]", "cancel the step, where the service can", "cancel k7m2", []string{"取消"}},
		{Complete, "complete ID [STEP]", "end the run as done, where the service can", "complete k7m2", nil},
		{Pause, "pause ID", "pause the run, where the service can", "pause k7m2", []string{"暂停"}},
		{Resume, "resume ID", "resume a paused run", "resume k7m2", []string{"恢复运行", "继续"}},
		{Approve, "approve ID [note]", "agree to the start", "approve k7m2", []string{"ok", "批准", "同意"}},
		{Reject, "reject ID [note]", "decline the start", "reject k7m2 not before the release", []string{"拒绝"}},
		{Stop, "stop ID|all [reason]", "stop a drill, or every one; never asks back", "stop k7m2 checkout is slow", []string{"abort", "停止", "中止"}},
		{Halt, "halt [SCOPE] [reason]", "stop a scope and keep it from starting: all, environment/NAME or plan/NAME", "halt environment/production incident 42", []string{"freeze", "冻结", "急停"}},
		{Release, "release [SCOPE] reason", "lift a halt; without a scope, the one that there is", "release all incident 42 is over", []string{"unfreeze", "解除"}},
		{Note, "note ID text", "add a remark to the record", "note k7m2 cache was cold", []string{"备注"}},
		{Answer, "answer ID CLAIM yes|no", "say whether a claim held", "answer k7m2 c2 yes", []string{"回答"}},
		{Conclude, "conclude ID expected|unexpected|inconclusive summary", "give the verdict, or amend it", "conclude k7m2 expected no order was lost", []string{"结论", "结束"}},
		{Next, "next [NAME]", "what the schedule starts next", "next", []string{"下次"}},
		{Report, "report ID", "the link to a drill's report", "report k7m2", []string{"报告"}},
		{Help, "help [VERB]", "this list, or one verb", "help start", []string{"?", "帮助"}},
	}
}

// find returns the verb that a word stands for.
func find(word string) (usage, bool) {
	word = strings.ToLower(word)
	for _, u := range table() {
		if word == string(u.Verb) {
			return u, true
		}
		for _, w := range u.also {
			if word == w {
				return u, true
			}
		}
	}
	return usage{}, false
}

// OfDrill reports whether the verb is about a drill, or may be.
func (v Verb) OfDrill() bool {
	u, _ := find(string(v))
	return strings.Contains(u.Form, "ID")
}

func everyWord() []string {
	var all []string
	for _, u := range table() {
		all = append(all, string(u.Verb))
		all = append(all, u.also...)
	}
	return all
}

// HelpText returns the help: one line a verb, or a verb's use, its other words and an example.
func HelpText(topic string, l words.Lang) string {
	say := func(format string, args ...any) string { return words.Say(format, args...).In(l, chinese()) }
	if u, ok := find(topic); ok {
		text := "/drill " + u.Form + " : " + say(u.Does) + "\n"
		if len(u.also) > 0 {
			text += say("The same: %s", strings.Join(u.also, ", ")) + "\n"
		}
		return text + say("For example: /drill %s", u.Example)
	}
	var b strings.Builder
	if topic != "" {
		b.WriteString(unknown(topic).In(l) + "\n\n")
	}
	for _, u := range table() {
		b.WriteString("/drill " + u.Form + " : " + say(u.Does) + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}
