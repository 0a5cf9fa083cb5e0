// Package cfg drives Tencent's Chaotic Fault Generator (CFG), API version 2021-08-20.
//
// Client has one typed method for each of the API's 17 actions, over the official SDK's generic client (the SDK's own
// typed CFG package is not to be had from the Go module proxy). Driver is the driver for Firedrill.
//
// CFG has no idempotency token. A run is therefore made in two phases: Prepare creates a task, which injects nothing
// while it is in status 1001, and Start executes exactly that task. Every task's title ends with " [fd:<drill>]", by
// which it is found again.
//
// How a task is read. Results come from its actions and instances, never from TaskStatusType, which the vendor does
// not derive from them.
//   - 1001 is PhasePrepared.
//   - 1002 is PhaseWaiting while a gate is open; PhaseStopping while a triggered guardrail runs recoveries; PhaseCompleted
//     or PhaseFailed once every action has ended, because the service itself never ends a task; else PhaseRunning.
//   - 1003 is always PhaseWaiting with the one paused gate, whatever the actions say. A stop ends here: it shows as
//     Quiet and a decided Restoration, and only the drill knows that a stop, not a person's pause, drove the task there.
//   - 1004 is PhaseCompleted or PhaseFailed if every action had ended by itself, else PhaseStopped.
//
// A fault is live from the moment any of its instances has begun until the recovery action linked to it (RandomId,
// RecoverId, ExecuteId) has succeeded; a fault without a recovery ends with its own action. Quiet means that no fault is
// live and that none can begin by itself: the task is not executing, or every action has ended.
package cfg
