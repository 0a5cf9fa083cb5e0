package chatops_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/chat/messages"
	"github.com/firedrill/firedrill/shared/drill"
)

func TestLang_IsTheConversations(t *testing.T) {
	w, p := room(t)
	w.f.Lang = func(address string) string {
		if address == "slack:T/C" {
			return "zh"
		}
		return ""
	}
	for text, want := range map[string]string{
		"停止 " + third: "已请求停止演练 abcdefghijkl2", "strat x": "是否想写 \"start\"", "帮助 停止": "停止一个或所有演练", "启动 checkout-az-outage": "您不能执行 start（环境 production）",
		"状态 abcd": "等待处理", "推进 k7zz": "已提交推进：演练 k7zzz4x9", "急停 plan/cart-cpuu": "没有计划 \"cart-cpuu\"：是否想写 \"plan/cart-cpu\"。未禁止任何范围",
	} {
		if _, got := w.as(p, "ALICE", text, text, ""); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	w.input = fmt.Errorf("%w: slack:T/BOB asked for the stop at 2026-11-24T09:00:00Z", drill.ErrAnswered)
	if _, got := w.as(p, "ALICE", "8", "停止 "+third, ""); !strings.Contains(got, "已有人处理：slack:T/BOB 已于 2026-11-24 09:00:00 +00:00 请求停止") {
		t.Error(got)
	}
	w.input, w.published = nil, nil
	if _, got := w.as(p, "BOB", "9", "", w.button("approve", third, messages.OfGate(w.drills[2], "start@3"))); !strings.HasSuffix(got, "|已提交") {
		t.Error(got)
	}
}
