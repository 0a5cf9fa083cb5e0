// Package events is the contract between Firedrill's functions, and with everybody who subscribes to them: every type
// of event, its payload, and the rules of its envelope. Nothing else crosses a function's boundary.
//
// # Envelope
//
// Events are CloudEvents 1.0.
//
//   - type: dev.firedrill.<group>.<name>.v<N>. A changed meaning is a new version; new optional fields are not, and
//     readers pass over fields that they do not know.
//   - source: /firedrill/<deployment>/<function>.
//   - id: derived, never random, so that a redelivered or repeated event has the same id (see ID and FactID). Source and
//     id together are unique.
//   - subject: the drill's id. A start command carries the plan's name, halt and release their scope, an alarm its name.
//   - time: when the event was made. It orders nothing: facts of one drill are ordered by sequence.
//   - cause: id of the event that led to this one.
//   - sequence: on facts, the rev of the journal entry that the fact belongs to, as a decimal string.
//   - traceparent: W3C trace context, passed on from cause to effect.
//   - datacontenttype: application/json.
//
// # Limits
//
// An event is at most MaxBytes (64 KiB) in its structured form, envelope included; New makes no larger one, and Parse and
// Decode read none. Free text is at most 4096 bytes of UTF-8 a field. Both refuse invalid UTF-8 and keys that stand twice.
// Times are RFC 3339. Ids of runs are strings: some have 19 digits. A number in parameters is read as a float64, so a
// whole number above 2^53 is written as a string.
//
// # Delivery and expiry
//
// Delivery is at least once, in any order, possibly hours late, and sometimes not at all. Start, Approve, Reject and
// Advance carry expires_at (15 minutes by default): after it they are refused instead of carried out. A stop, a halt and a
// release never expire. An error that is Final wraps ErrInvalid: delivering the event again cannot help. Only the
// deployment's own roles may put command.* on a bus, and consumers authorise the actor again. The actor is
// platform:tenant/user, schedule:<plan> or alarm:<source>/<name>.
//
// # Signals: something happened outside
//
//	type          payload  produced by                               consumed by
//	signal.tick   Tick     the cloud's timer, once a minute          start, poll
//	signal.alarm  Alarm    inbound (bus), abort (webhooks)           abort
//	signal.state  State    inbound, from a service's state changes   poll
//
// # Commands: somebody asks for something
//
//	type              payload   produced by                consumed by
//	command.start     Start     chatops, start (schedule)  start
//	command.approve   Approve   chatops                    advance
//	command.reject    Reject    chatops                    advance
//	command.advance   Advance   chatops                    advance
//	command.stop      Stop      chatops                    abort
//	command.halt      Halt      chatops                    abort
//	command.release   Release   chatops                    abort
//	command.note      Note      chatops                    conclude
//	command.answer    Answer    chatops                    conclude
//	command.conclude  Conclude  chatops                    conclude
//
// The local command's console and `firedrill send` produce the same commands as chatops.
//
// # Facts: what happened to a drill
//
// Every fact starts with About. The journal is the truth, a fact is its echo: poll publishes again what was lost.
//
//	type              payload     produced by        consumed by
//	drill.refused     Refused     start              notify
//	drill.requested   Requested   start              notify
//	drill.waiting     Waiting     start, poll        notify
//	drill.approved    Approved    advance            start, notify
//	drill.started     Started     start, poll        notify
//	drill.progressed  Progressed  poll, advance,     notify
//	                              conclude
//	drill.stopping    Stopping    abort, poll        notify
//	drill.stopped     Stopped     poll, abort        conclude, notify
//	drill.completed   Completed   poll               conclude, notify
//	drill.failed      Failed      poll, start        conclude, notify
//	drill.restored    Restored    poll, abort        notify
//	drill.concluded   Concluded   conclude           notify
//	drill.amended     Amended     conclude           notify
//	drill.attached    Attached    poll, conclude     notify
//	drill.announced   Announced   start (schedule)   notify
//
// An announced drill has no journal yet: its fact has no sequence, and repeats with the same id for a few minutes.
//
// # Chat: what one person is told
//
//	type        payload  produced by  consumed by
//	chat.reply  Reply    chatops      notify
//
// # Three views of one type
//
// Each type has a Go payload with Validate, a JSON Schema (see Schemas) and a golden event in testdata. A test holds the
// three together and fails for a type that lacks one. To add a type: the constant, the payload with EventType and
// Validate, a line in the catalogue above, the schema, the golden event, and a line in the test's table.
package events
