// Package oos is the sandbox of Alibaba's Operation Orchestration Service, API version 2019-06-01: real templates in
// the vendor's own language, played on the sandbox's clock, behind the vendor's wire format.
//
// What a task does is read from its action and properties. StopInstance makes a fault that lasts until any execution
// runs StartInstance on the same instance; RebootInstance one that lasts as long as its task; "blade create" in a
// RunCommand one that lasts until "blade destroy" or its --timeout; "stress-ng" one that ends with its task. A cancelled execution leaves all other faults in
// effect, because the service has no rollback.
//
// The sandbox decides where the vendor says nothing: the error codes of a notification that comes at the wrong time
// and of a second cancellation (InvalidExecutionStatus), of a token that is used again with other parameters
// (IdempotentParameterMismatch), and which actions are risky (those that delete, release or stop, by the user guide).
//
// A sleep outside the documented 1 minute to 4 hours is refused in a template; where the duration comes from a parameter
// it is played as one minute.
//
// The security tokens "invalid", "expired", "no-permission" and "wrong-account" are answered with the error of that
// meaning; any other is accepted.
package oos
