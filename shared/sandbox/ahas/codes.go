package ahas

// refusal is a business failure: HTTP 200 with Success=false.
type refusal struct{ code, message string }

// The refusals, named as in the vendor's open-source twin.
func noExperiment() *refusal {
	return &refusal{"P_EXPERIMENT_NOT_FOUND", "experiment not found"}
}
func noTask() *refusal { return &refusal{"P_EXPERIMENT_TASK_NOT_FOUND", "experiment task not found"} }
func noActivity() *refusal {
	return &refusal{"P_ACTIVITY_TASK_NOT_FOUND", "activity task not found"}
}
func badDefinition(why string) *refusal {
	return &refusal{"P_EXPERIMENT_DEFINITION_ILLEGAL", "experiment definition illegal: " + why}
}
func isDraft() *refusal { return &refusal{"B_EXPERIMENT_DRAFT_STATE", "experiment is a draft"} }
func isRunning() *refusal {
	return &refusal{"B_EXPERIMENT_ALREADY_RUNNING", "experiment is already running"}
}
func notPushable() *refusal {
	return &refusal{"B_EXPERIMENT_TASK_NOT_PUSHABLE", "experiment task is not waiting for confirmation"}
}
func isFinished() *refusal {
	return &refusal{"B_EXPERIMENT_TASK_ALREADY_FINISHED", "experiment task already finished"}
}
func isStopping() *refusal {
	return &refusal{"B_EXPERIMENT_TASK_STOPPING", "experiment task is stopping"}
}
