// Package ahas drives Alibaba Cloud's AHAS fault drill (product ahas-openapi, version 2019-09-01).
//
// Three things shape it. ExecuteExperiment takes no token and tasks take no tag: a run is started at most once, and one
// whose reply was lost is looked for among the experiment's newest tasks, minus those that were seen before.
// PushExperimentTask names no activity: it is sent only after a fresh reading shows that exactly the gate's activity
// waits. FinishExperimentTask only begins to stop: the run is called quiet and restored when its RECOVER activities
// have succeeded on every host, not before.
//
// A business failure is HTTP 200 with Success=false; it becomes an error that carries the vendor's code. Whether the
// service sends the codes as names or as numbers is not documented, so both are known (see codes).
//
// AHAS pushes no events: reading is the only way to learn a run's state.
package ahas
