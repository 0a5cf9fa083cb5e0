package messages

import "github.com/firedrill/firedrill/shared/chat/words"

// Lang is the language of a message.
type Lang = words.Lang

// key names one text. Those of facts are the names of their event types.
type key string

func table(l Lang) map[key]string {
	if l == words.Chinese {
		return chinese()
	}
	return english()
}

func english() map[key]string {
	return map[key]string{
		"refused": "Refused", "requested": "Requested", "waiting": "Waiting", "approved": "Approved", "started": "Started",
		"progressed": "Progress", "stopping": "Stop requested", "stopped": "Stopped at the service", "completed": "Run completed",
		"failed": "Failed", "restored": "Restored", "concluded": "Concluded", "amended": "Verdict amended", "attached": "Evidence attached",
		"escalated": "ESCALATION %d",

		"refused.answer": "That was not done. The check %q said no: %s",
		"refused.text":   "It will not start. The check %q said no: %s",
		"requested.text": "Asked for by %s. Nothing has been started yet.",
		"requested.dry":  "Dry run: nothing will be injected.",
		"approval.text":  "Needs approval before the start: %s",
		"approval.votes": "Approvals: %d of %d, until %s",
		"preview.text":   "The preview found %d target(s).",
		"gate.text":      "Waits for a person at %s (%s).",
		"claim.text":     "Please answer: does this hold? %s",
		"approved.text":  "Agreed by %s. It starts after the last checks.",
		"started.text":   "The service runs it.",
		"started.until":  "A stop is asked for at %s at the latest.",
		"stopping.text":  "%s asked for a stop.",
		"completed.text": "The run ended by itself.",
		"failed.text":    "The run, or its start, failed: %s",
		"amended.text":   "%s changed the verdict to %s.",
		"amended.first":  "The first verdict, %s, stays on record.",
		"attached.text":  "Added to the record: %s",
		"more":           "… and %d more",

		"stop.requested": "1. Stop requested: %s by %s", "stop.unnamed": "1. Stop requested: %s", "stop.reason": "   Reason: %s",
		"stop.stopped": "2. Stopped at the service: %s", "stop.restored": "3. Restored: %s",
		"end.restored": "Restored: %s", "unconfirmed": "not confirmed", "unknown.time": "time not known here",
		"restore.needless": "not needed, nothing was injected", "restore.failed": "FAILED, a person must act: the fault may still be in effect",
		"restore.unproven": "the service cannot prove it: please check", "evidence": "   Evidence: %s",

		"field.drill": "Drill", "field.where": "Where", "field.actor": "Asked for by", "field.time": "Time", "field.parameters": "Parameters",
		"field.reason": "Why", "field.error": "Last error", "field.do": "By hand", "field.runbook": "Runbook", "field.verdict": "Verdict",
		"field.head": "Journal head", "field.report": "Report", "field.gate": "Gate", "field.evidence": "Evidence", "field.notes": "Known limits",
		"head.text": "rev %d, sha256 %s", "where.run": "run %s",

		"approval.start": "start %s",
		"check.halt":     "halt", "check.disabled": "disabled", "check.window": "window", "check.freeze": "freeze", "check.lock": "lock", "check.alarm": "alarm",
		"check.targets": "targets", "check.preview": "preview", "check.approval": "approval", "check.expired": "expired", "check.access": "access",
		"check.drill": "drill", "check.gate": "gate", "check.catalogue": "catalogue", "check.service": "service",

		"expected": "expected", "unexpected": "UNEXPECTED", "inconclusive": "inconclusive",
		"approve": "Approve", "reject": "Reject", "execute": "Advance", "skip": "Skip", "retry": "Retry", "cancel": "Cancel", "complete": "Complete",
		"pause": "Pause", "resume": "Resume", "yes": "Yes", "no": "No", "stop": "Stop",
		"kind.approval": "approval", "kind.manual": "manual step", "kind.failed": "failed step", "kind.paused": "paused", "kind.debug": "debug mode", "kind.risk": "risky action", "kind.claim": "claim",

		"announced": "Scheduled", "answered": "Answered", "halt": "Halt this plan",
		"announced.text": "The schedule starts it at %s.", "announced.halt": "To keep it from starting, halt the plan; a release lets it start again.",
		"field.targets": "Targets", "field.bound": "Runs at most", "field.alarms": "Stopped by", "field.oncall": "On call",
		"state.requested": "Requested", "state.previewing": "Previewing", "state.waiting": "Waiting for a person", "state.starting": "Starting",
		"state.running": "Running", "state.stopping": "STOPPING, not confirmed", "state.stopped": "Stopped at the service", "state.completed": "Run completed",
		"state.failed": "Failed", "state.concluding": "Being concluded", "state.concluded": "Concluded", "state.refused": "Refused",
		"requested.by": "Asked for by %s at %s.", "root.reason": "Why: %s", "root.steps": "Steps: %d of %d done.", "root.now": "Now: %s",
		"root.verdict": "Verdict: %s.", "root.amended": "Verdict: %s, as amended by %s at %s; first verdict: %s.",
		"stop.none": "1. Stop requested: no", "stop.ended": "2. Stopped at the service: not needed, the run ended by itself at %s", "no.need": "no",
		"card.approved": "Approved by %s at %s.", "card.answered": "%s chose %s at %s.", "card.problem": "That did not work: %s",
		"claim.answered": "%s, said %s at %s.", "claim.late": "Nobody answered in time.", "holds.true": "It holds", "holds.false": "It does NOT hold",
		"done": "Sent", "done.advance": "Advancing", "done.skip": "Skipping", "done.retry": "Retrying", "done.cancel": "Cancelling",
		"done.complete": "Completing", "done.pause": "Pausing", "done.resume": "Resuming", "done.stop": "Stop requested", "done.halt": "Halted", "done.yes": "Answered yes", "done.no": "Answered no",
	}
}

func chinese() map[key]string {
	return map[key]string{
		"refused": "已拒绝", "requested": "已申请", "waiting": "等待处理", "approved": "已批准", "started": "已开始",
		"progressed": "进展", "stopping": "已请求停止", "stopped": "云服务已停止", "completed": "运行已完成",
		"failed": "失败", "restored": "已恢复", "concluded": "已出结论", "amended": "结论已修订", "attached": "已补充证据",
		"escalated": "升级告警 第 %d 次",

		"refused.answer": "该请求未执行。检查项 %q 未通过：%s",
		"refused.text":   "演练不会开始。检查项 %q 未通过：%s",
		"requested.text": "申请人：%s。尚未开始任何操作。",
		"requested.dry":  "试运行：不会注入故障。",
		"approval.text":  "开始前需要批准：%s",
		"approval.votes": "批准数：%d / %d，截止 %s",
		"preview.text":   "预览找到 %d 个目标。",
		"gate.text":      "在 %s 等待人工处理（%s）。",
		"claim.text":     "请回答，以下说法是否成立：%s",
		"approved.text":  "批准人：%s。通过最后检查后开始。",
		"started.text":   "云服务正在运行该演练。",
		"started.until":  "最迟于 %s 请求停止。",
		"stopping.text":  "%s 请求停止。",
		"completed.text": "运行自行结束。",
		"failed.text":    "运行或启动失败：%s",
		"amended.text":   "%s 将结论改为：%s。",
		"amended.first":  "首次结论 %s 仍保留在记录中。",
		"attached.text":  "已加入记录：%s",
		"more":           "……另有 %d 项",

		"stop.requested": "1. 请求停止：%s，由 %s", "stop.unnamed": "1. 请求停止：%s", "stop.reason": "   原因：%s",
		"stop.stopped": "2. 云服务停止：%s", "stop.restored": "3. 恢复：%s",
		"end.restored": "恢复：%s", "unconfirmed": "尚未确认", "unknown.time": "此处无法得知时间",
		"restore.needless": "无需恢复，未注入故障", "restore.failed": "失败，需人工处理：故障可能仍在生效",
		"restore.unproven": "云服务无法证明，请人工确认", "evidence": "   依据：%s",

		"field.drill": "演练", "field.where": "位置", "field.actor": "申请人", "field.time": "时间", "field.parameters": "参数",
		"field.reason": "原因", "field.error": "最近错误", "field.do": "手工处理", "field.runbook": "运行手册", "field.verdict": "结论",
		"field.head": "日志链头", "field.report": "报告", "field.gate": "关卡", "field.evidence": "依据", "field.notes": "已知局限",
		"head.text": "第 %d 版，sha256 %s", "where.run": "运行 %s",

		"approval.start": "启动 %s",
		"check.halt":     "冻结", "check.disabled": "停用", "check.window": "时间窗", "check.freeze": "封网", "check.lock": "锁", "check.alarm": "告警",
		"check.targets": "目标", "check.preview": "预览", "check.approval": "批准", "check.expired": "过期", "check.access": "权限",
		"check.drill": "演练", "check.gate": "关卡", "check.catalogue": "目录", "check.service": "云服务",

		"expected": "符合预期", "unexpected": "不符合预期", "inconclusive": "无法判定",
		"approve": "批准", "reject": "拒绝", "execute": "执行", "skip": "跳过", "retry": "重试", "cancel": "取消", "complete": "完成",
		"pause": "暂停", "resume": "继续", "yes": "是", "no": "否", "stop": "停止",
		"kind.approval": "审批", "kind.manual": "手动步骤", "kind.failed": "失败的步骤", "kind.paused": "已暂停", "kind.debug": "调试模式", "kind.risk": "高风险操作", "kind.claim": "断言",

		"announced": "已排期", "answered": "已答复", "halt": "冻结该计划",
		"announced.text": "将于 %s 按计划开始。", "announced.halt": "如不希望开始，请冻结该计划；解除后可再次开始。",
		"field.targets": "目标", "field.bound": "最长运行", "field.alarms": "触发停止的告警", "field.oncall": "值班",
		"state.requested": "已申请", "state.previewing": "预览中", "state.waiting": "等待人工处理", "state.starting": "启动中",
		"state.running": "运行中", "state.stopping": "停止中，尚未确认", "state.stopped": "云服务已停止", "state.completed": "运行已完成",
		"state.failed": "失败", "state.concluding": "正在出结论", "state.concluded": "已出结论", "state.refused": "已拒绝",
		"requested.by": "申请人：%s，时间：%s。", "root.reason": "原因：%s", "root.steps": "步骤：已完成 %d / %d。", "root.now": "正在进行：%s",
		"root.verdict": "结论：%s。", "root.amended": "结论：%s，由 %s 于 %s 修订；首次结论：%s。",
		"stop.none": "1. 请求停止：否", "stop.ended": "2. 云服务停止：无需停止，运行已于 %s 自行结束", "no.need": "否",
		"card.approved": "%s 已于 %s 批准。", "card.answered": "%s 选择了%s，时间：%s。", "card.problem": "未成功：%s",
		"claim.answered": "%s，由 %s 答复，时间：%s。", "claim.late": "无人及时答复。", "holds.true": "成立", "holds.false": "不成立",
		"done": "已提交", "done.advance": "执行中", "done.skip": "跳过中", "done.retry": "重试中", "done.cancel": "取消中",
		"done.complete": "结束中", "done.pause": "暂停中", "done.resume": "恢复中", "done.stop": "已请求停止", "done.halt": "已冻结", "done.yes": "已答：是", "done.no": "已答：否",
	}
}
