package catalog

// kind is a mapping of the catalogue whose fields are known. The JSON Schema has a definition of the same name.
type kind string

// The kinds of mapping.
const (
	kindCatalogue kind = "catalogue"
	kindDefaults  kind = "defaults"
	kindAccount   kind = "account"
	kindChannel   kind = "channel"
	kindAlarm     kind = "alarm"
	kindFreeze    kind = "freeze"
	kindHoliday   kind = "holiday"
	kindPlan      kind = "plan"
	kindParameter kind = "parameter"
	kindSchedule  kind = "schedule"
	kindClaim     kind = "claim"
	kindApproval  kind = "approval"
	kindTargets   kind = "targets"
	kindRole      kind = "role"
	kindBinding   kind = "binding"
)

func kinds() []kind {
	return []kind{kindCatalogue, kindDefaults, kindAccount, kindChannel, kindAlarm, kindFreeze, kindHoliday, kindPlan,
		kindParameter, kindSchedule, kindClaim, kindApproval, kindTargets, kindRole, kindBinding}
}

// keys returns the fields that the kind knows.
func (k kind) keys() []string {
	switch k {
	case kindCatalogue:
		return []string{"version", "include", "defaults", "accounts", "channels", "alarms", "freezes", "holidays", "drills",
			"calendars", "access", "roles", "bindings", "ceilings"}
	case kindDefaults:
		return []string{"timezone", "environment", "max_duration", "window", "approval"}
	case kindAccount:
		return []string{"cloud", "id", "region", "role", "credentials"}
	case kindChannel:
		return []string{"to", "lang", "timezone", "oncall"}
	case kindAlarm:
		return append([]string{"account"}, alarmSources()...)
	case kindFreeze:
		return []string{"name", "from", "until", "timezone", "running", "environments", "plans", "reason"}
	case kindHoliday:
		return []string{"name", "date", "from", "until", "timezone", "environments", "plans"}
	case kindPlan:
		return []string{"title", "owner", "runbook", "environment", "disabled", "account", "fis", "ahas", "oos", "cfg",
			"parameters", "max_duration", "unbounded", "window", "timezone", "exclusive", "schedule", "stop_on", "notify",
			"expect", "approval", "brake", "calendars", "holidays"}
	case kindParameter:
		return []string{"type", "default", "min", "max", "enum", "pattern", "title"}
	case kindSchedule:
		return []string{"cron", "timezone", "announce", "missed", "calendars"}
	case kindClaim:
		return []string{"claim", "http", "status", "within", "stop_after", "ask", "deadline"}
	case kindApproval:
		return []string{"need", "from", "self", "expires"}
	case kindTargets:
		return []string{"min", "max"}
	case kindRole:
		return []string{"may"}
	case kindBinding:
		return []string{"role", "to", "environments"}
	}
	return nil
}

// laterKeys are read and kept, and nothing here acts on them.
func laterKeys() []string { return []string{"calendars", "access"} }

// laterPlanKeys are the same within a plan.
func laterPlanKeys() []string { return []string{"brake", "calendars", "holidays"} }

// alarmSources are where alarms come from; an alarm has exactly one.
func alarmSources() []string {
	return []string{"cloudwatch", "alertmanager", "cloudmonitor", "arms", "tcop", "local", "any"}
}
