package cfg

import (
	"encoding/json"
	"time"
)

// The attributes of an action.
const (
	faultAttribute    = 1
	recoveryAttribute = 2
)

// field is one parameter of an action, as DescribeActionFieldConfigList describes it.
type field struct {
	kind, label, name, value, config string
	required                         bool
}

// spec is one action of the library.
type spec struct {
	id         int64
	name, desc string
	attribute  int
	partner    int64 // the recovery of a fault, 0 if there is none
	apiType    int   // 0 command on the host, 1 cloud API
	objectType int64
	risk       string
	takes      time.Duration // how long the action executes, where no duration parameter says it
	fields     []field       // custom parameters
	stumbles   bool          // the first attempt fails on the last instance
	barred     bool          // IsAllowed is false
	retires    string        // date on which the action is withdrawn
}

// objectNames are the kinds of object that the sandbox knows, by ObjectTypeId.
func objectNames() map[int64]string { return map[int64]string{1: "CVM", 2: "MySQL"} }

func durationField(seconds, limit string) field {
	return field{"number", "Duration (s)", "duration", seconds, `{"max": ` + limit + `, "min": 0}`, true}
}

// library lists the actions of the sandbox, by id.
func library() []*spec {
	return []*spec{
		{id: 1, name: "Shut Down CVM", desc: "Shuts the instance down", attribute: faultAttribute, partner: 2, apiType: 1, objectType: 1, risk: "High risk", takes: 20 * time.Second},
		{id: 2, name: "Start CVM (rollback)", desc: "Starts the instance", attribute: recoveryAttribute, apiType: 1, objectType: 1, risk: "Low risk", takes: 20 * time.Second},
		{id: 3, name: "Reboot CVM", desc: "Reboots the instance", attribute: faultAttribute, apiType: 1, objectType: 1, risk: "High risk", takes: 30 * time.Second},
		{id: 4, name: "High CPU Load", desc: "Loads the CPU of the instance", attribute: faultAttribute, partner: 5, objectType: 1, risk: "Medium risk", takes: 10 * time.Second,
			fields: []field{{"number", "CPU usage (%)", "percentage", "80", `{"max": 100, "min": 1}`, true}, {"number", "Duration (s)", "timeout", "600", `{"max": 3600, "min": 1}`, true}}},
		{id: 5, name: "High CPU Load (rollback)", desc: "Ends the CPU load", attribute: recoveryAttribute, objectType: 1, risk: "Low risk", takes: 5 * time.Second},
		{id: 7, name: "High Memory Load", desc: "Fills the memory of the instance", attribute: faultAttribute, objectType: 1, risk: "Medium risk", takes: 60 * time.Second,
			fields: []field{{"number", "Memory usage (%)", "percentage", "80", `{"max": 100, "min": 1}`, true}, durationField("60", "3600")}},
		{id: 8, name: "High Disk Load", desc: "Fills the disk of the instance; needs the agent", attribute: faultAttribute, objectType: 1, risk: "Medium risk", takes: 30 * time.Second, stumbles: true,
			fields: []field{{"input", "Path", "path", "/data", "{}", true}, durationField("30", "1800")}},
		{id: 12, name: "Empty Operation", desc: "Injects nothing", attribute: faultAttribute, partner: 13, apiType: 1, objectType: 1, risk: "Low risk", takes: 10 * time.Second},
		{id: 13, name: "Empty Operation (rollback)", desc: "Undoes nothing", attribute: recoveryAttribute, apiType: 1, objectType: 1, risk: "Low risk", takes: 5 * time.Second},
		{id: 292, name: "MySQL Primary Node Failure", desc: "Fails the primary node over", attribute: faultAttribute, apiType: 1, objectType: 2, risk: "High risk", takes: 40 * time.Second},
		{id: 462, name: "Network Packet Loss", desc: "Drops packets of the instance", attribute: faultAttribute, objectType: 1, risk: "Medium risk", takes: 60 * time.Second,
			fields: []field{{"input", "Network Interface", "interfaces", "", "{}", true}, {"number", "Loss (%)", "percent", "10", `{"max": 100, "min": 1}`, false}, durationField("60", "1800")}},
		{id: 466, name: "DNS tampering", desc: "Resolves a domain name to another address", attribute: faultAttribute, objectType: 1, risk: "Medium risk", takes: 180 * time.Second,
			fields: []field{durationField("180", "1800"), {"input", "Domain Name", "domain", "", "{}", true}, {"input", "IP", "ip", "", "{}", true}}},
		{id: 501, name: "Host Outage", desc: "Not open to this account", attribute: faultAttribute, apiType: 1, objectType: 1, risk: "High risk", takes: 60 * time.Second, barred: true},
		{id: 502, name: "Clock Drift", desc: "Moves the clock of the instance; to be withdrawn", attribute: faultAttribute, objectType: 1, risk: "Medium risk", takes: 60 * time.Second, retires: "2027-06-30 00:00:00"},
	}
}

// generalFields are the parameters that every action has.
func generalFields() []field {
	wait := `{"max": 86400, "min": 0, "tooltip": "Only for auto-advance mode"}`
	return []field{
		{"input", "Action Alias", "AliasTitle", "", "{}", false},
		{"number", "Pre-Wait Time (s)", "PreTimeWait", "0", wait, false},
		{"number", "Post-Wait Time (s)", "AfterTimeWait", "0", wait, false},
		{"number", "Action Timeout Period (s)", "ActionTimeout", "1800", `{"max": 86400, "min": 0, "tooltip": "Action timeout period"}`, false},
	}
}

// wire is the field as DescribeActionFieldConfigList prints it; the misspelt Lable is the vendor's.
func (f field) wire() obj {
	visible, required := "{}", 0
	if f.name == "ActionTimeout" {
		visible = `{"op": "<", "type": "need_insert", "value": 0, "relatedField": "ActionTimeout"}`
	}
	if f.required {
		required = 1
	}
	return obj{"Type": f.kind, "Lable": f.label, "Field": f.name, "DefaultValue": f.value, "Config": f.config,
		"Required": required, "Validate": "{}", "Visible": visible}
}

// defaults lays the caller's custom configuration over the action's defaults; a broken one is left for check.
func (sp *spec) defaults(custom string) string {
	given := parse([]byte(custom))
	if given.err != nil {
		return custom
	}
	for _, f := range sp.fields {
		if _, ok := given.m[f.name]; ok || f.value == "" {
			continue
		}
		given.m[f.name] = f.value
		if f.kind == "number" {
			given.m[f.name] = json.Number(f.value)
		}
	}
	b, err := json.Marshal(given.m)
	if err != nil {
		return custom
	}
	return string(b)
}
