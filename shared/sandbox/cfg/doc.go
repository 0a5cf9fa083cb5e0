// Package cfg is a sandbox of Tencent's Chaotic Fault Generator, API version 2021-08-20, on its real wire format.
//
// What the vendor documents is done as documented: the TC3-HMAC-SHA256 signature, errors in an HTTP 200, all 17
// actions, the status codes of tasks (1001-1004), actions (2001-2004) and instances (3001-3004), manual and automatic
// advance, guardrails, and instance rows that appear only when a task is executed. Nothing runs in the background:
// every call first plays what was due by Env.Now, in the order in which it was due.
//
// Where the vendor is silent the sandbox decides as follows.
//   - An action that fails blocks its group: it is retried (5, where IsExecuteRedo says so) or skipped (3), and from
//     then on the task is advanced by hand, which shows as TaskMode 1.
//   - A pause (1003) lets running actions come to their end and begins no further one. While a task is paused only
//     recovery actions whose fault has begun may be executed, whatever their place in the order.
//   - A task whose actions have all ended stays 1002 until somebody ends it: 1004 is a conclusion, and it undoes nothing.
//   - A fault is live from the moment its action is executing until its recovery action has succeeded or its own
//     duration is over; without a recovery action it ends with the action itself.
//   - TaskPauseDuration counts from ExecuteTask or from the last resume.
//   - A task made from one action brings that action's recovery partner along, as the console does.
//   - Illegal transitions answer UnsupportedOperation (ExecuteTask, TriggerPolicy) or OperationDenied (the rest).
//
// GetCallerIdentity of Tencent's STS is answered too, because the driver verifies the account with it.
package cfg
