// Package ahas is the sandbox's AHAS fault drill: product ahas-openapi, version 2019-09-01, RPC style.
//
// An experiment is made of flows; each flow prepares, attacks, checks and recovers. Running it makes a task with one
// activity task per activity. An activity whose userCheck is set ends FINISHED with USER_CHECK_STATE_WAITING and blocks
// the task until PushExperimentTask, which names no activity and acts on whatever waits. FinishExperimentTask and the
// experiment's duration skip what is left and run the RECOVER activities.
//
// As at the vendor, a business failure is HTTP 200 with Success=false and a Code; only the gateway's own errors
// (signature, version, missing parameters, throttling) have an HTTP status. ExecuteExperiment takes no token: one
// running task per experiment is the only guard against a second one.
//
// What the open API does not say (the order of a stop, when a push is refused) follows the vendor's open-source twin,
// chaosblade-box. Calls that name a task by its id find it in every namespace unless they give one.
package ahas
