package ahas

import (
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// The codes that decide what the driver does next, by name and by number.
const (
	taskFinished, taskFinishedNumber = "B_EXPERIMENT_TASK_ALREADY_FINISHED", "2404"
	taskStopping, taskStoppingNumber = "B_EXPERIMENT_TASK_STOPPING", "2409"
	runsAlready, runsAlreadyNumber   = "B_EXPERIMENT_ALREADY_RUNNING", "2401"
)

// codes is the one map from AHAS's own codes to classes, by the names and numbers of the vendor's open-source twin
// (chaosblade-box, CommonErrorCode): which of the two the service sends is not documented. A key that ends in "*"
// matches as a prefix.
//
// An experiment that runs already is Quota: nothing was started, and it can be once the other run has ended. It is not
// Conflict, because the run that is there is not ours and must not be adopted, unless the start was declined once before
// (errPerhapsOurs).
func codes() aliyun.Codes {
	return aliyun.Codes{
		"P_EXPERIMENT_NOT_FOUND": driver.NotFound, "3301": driver.NotFound,
		"P_EXPERIMENT_DEFINITION_ILLEGAL": driver.Invalid, "3302": driver.Invalid,
		"P_EXPERIMENT_TASK_NOT_FOUND": driver.NotFound, "3304": driver.NotFound,
		"P_ACTIVITY_TASK_NOT_FOUND": driver.NotFound, "3305": driver.NotFound,
		"P_USER_PERMISSION_DENIED": driver.Denied, "3101": driver.Denied,
		"P_*": driver.Invalid,

		runsAlready: driver.Quota, runsAlreadyNumber: driver.Quota,
		"B_ACTIVITY_ALREADY_RUNNING": driver.Quota, "2403": driver.Quota,
		"B_EXPERIMENT_DRAFT_STATE": driver.Invalid, "2402": driver.Invalid,

		taskFinished: driver.NotNow, taskFinishedNumber: driver.NotNow,
		taskStopping: driver.NotNow, taskStoppingNumber: driver.NotNow,
		"B_EXPERIMENT_TASK_NOT_PUSHABLE": driver.NotNow, "2414": driver.NotNow,
		"B_ACTIVITY_TASK_HAS_CHECKED": driver.NotNow, "2405": driver.NotNow,
		"B_ATTACK_ACTIVITY_NOT_FINISHED": driver.NotNow, "2406": driver.NotNow,

		"B_EXPERIMENT_TASK_STOP_TIMEOUT": driver.Unavailable, "2407": driver.Unavailable,
		"B_CREATE_EXPERIMENT_TASK_FAILED": driver.Unavailable, "2410": driver.Unavailable,

		"B_HOST_NOT_FOUND": driver.Invalid, "2201": driver.Invalid,
		"B_HOST_NOT_ALIVE": driver.Invalid, "2202": driver.Invalid,
		"B_ERR_TARGET_PRE_CHECK": driver.Invalid, "2206": driver.Invalid,
		"B_APPLICATION_HOST_NOT_ALIVE": driver.Invalid, "2307": driver.Invalid,
		"B_CHAOS_AGENT_VERSION_LOW": driver.Invalid, "2601": driver.Invalid,

		"S_*":             driver.Unavailable,
		"100*":            driver.Unavailable, // the numbers of S_* lie between 1000 and 1105
		"110*":            driver.Unavailable,
		"IllegalArgument": driver.Invalid,
	}
}
