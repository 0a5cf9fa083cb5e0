// Package oos drives Alibaba's Operation Orchestration Service, API version 2019-06-01.
//
// A drill is one execution of a template. Its steps are the template's tasks, named by the task; a retried task is the
// same step with a higher attempt. OOS has no read of one execution, no rollback and no state of its own for what a
// person is asked: an execution is read with ListExecutions by id, faults are undone by the template itself or by a
// second execution (the plan's recovery), and the kind of a gate is told from the waiting task's action and the mode.
//
// What a task does is told from its action and the API that it calls, see kindOf. What cannot be told counts as a fault,
// so that a run is never called harmless by mistake.
//
// SafetyCheck is always sent. The vendor's pages disagree about its default, and Skip is valid with mode Automatic
// alone. Without safety_check in the plan it is ConfirmEveryHighRiskAction: tasks that delete, release or stop then
// wait at a gate of kind risk. A recovery run skips the check, because it must not wait for a person.
package oos
