package events

import "strings"

// The prefix of every event type; the version ends it.
const prefix = "dev.firedrill."

// IsCommand reports whether an event's type is that of a command.
func IsCommand(eventType string) bool { return strings.HasPrefix(eventType, prefix+"command.") }

// Types of signals: something happened outside.
const (
	TypeTick  = prefix + "signal.tick.v1"
	TypeAlarm = prefix + "signal.alarm.v1"
	TypeState = prefix + "signal.state.v1"
)

// Types of commands: somebody asks for something.
const (
	TypeStart    = prefix + "command.start.v1"
	TypeApprove  = prefix + "command.approve.v1"
	TypeReject   = prefix + "command.reject.v1"
	TypeAdvance  = prefix + "command.advance.v1"
	TypeStop     = prefix + "command.stop.v1"
	TypeHalt     = prefix + "command.halt.v1"
	TypeRelease  = prefix + "command.release.v1"
	TypeNote     = prefix + "command.note.v1"
	TypeAnswer   = prefix + "command.answer.v1"
	TypeConclude = prefix + "command.conclude.v1"
)

// Types of facts: what happened to a drill, in the past tense.
const (
	TypeRefused    = prefix + "drill.refused.v1"
	TypeRequested  = prefix + "drill.requested.v1"
	TypeWaiting    = prefix + "drill.waiting.v1"
	TypeApproved   = prefix + "drill.approved.v1"
	TypeStarted    = prefix + "drill.started.v1"
	TypeProgressed = prefix + "drill.progressed.v1"
	TypeStopping   = prefix + "drill.stopping.v1"
	TypeStopped    = prefix + "drill.stopped.v1"
	TypeCompleted  = prefix + "drill.completed.v1"
	TypeFailed     = prefix + "drill.failed.v1"
	TypeRestored   = prefix + "drill.restored.v1"
	TypeConcluded  = prefix + "drill.concluded.v1"
	TypeAmended    = prefix + "drill.amended.v1"
	TypeAttached   = prefix + "drill.attached.v1"
	TypeAnnounced  = prefix + "drill.announced.v1" // of no journal entry: the drill does not exist yet
)

// TypeReply is what one person is told about their command; it is no fact of a drill.
const TypeReply = prefix + "chat.reply.v1"
