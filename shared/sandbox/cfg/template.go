package cfg

// step is one action of a template's group, with the links that its tasks inherit.
type step struct {
	action                   int64
	random, recover, execute int64 // RandomId, RecoverId, ExecuteId
	general, custom          string
}

// stage is one action group of a template.
type stage struct {
	title, desc string
	mode        int
	objectType  int64
	steps       []step
}

// template is what CreateTaskFromTemplate makes tasks from.
type template struct {
	id          int64
	title, desc string
	mode, pause int // pause in minutes
	deal        int // PolicyDealType; 0 means that the template has no guardrail
	rule        string
	disabled    bool
	stages      []stage
	used        int
}

const (
	firstGeneral = `{"AliasTitle": "", "PreTimeWait": 0, "ActionTimeout": 1800, "AfterTimeWait": 0}`
	plainGeneral = `{"PreTimeWait": 0, "ActionTimeout": 1800, "AfterTimeWait": 0}`
)

// templates are the sandbox's experiment templates. 626 is the one of the vendor's OpenAPI guide.
func templates() []*template {
	return []*template{
		{id: 626, title: "Empty operation", desc: "Test an empty operation action", mode: 1, pause: 60, stages: []stage{{
			title: "abc", desc: "abc", mode: 1, objectType: 1, steps: []step{
				{action: 12, random: 156878, recover: 193278, general: firstGeneral, custom: "{}"},
				{action: 13, random: 193278, execute: 156878, general: plainGeneral, custom: "{}"},
			}}}},
		{id: 627, title: "CPU load with a rollback guardrail", desc: "Loads the CPU; an alarm rolls it back", mode: 1, pause: 60, deal: dealRollback,
			rule: "CPU usage above 90% for 5 minutes", stages: []stage{{
				title: "cpu", desc: "load and relief", mode: 1, objectType: 1, steps: []step{
					{action: 4, random: 200101, recover: 200102, general: firstGeneral, custom: `{"percentage": 80, "timeout": 600}`},
					{action: 5, random: 200102, execute: 200101, general: plainGeneral, custom: "{}"},
				}}}},
		{id: 628, title: "Automatic CPU load and packet loss", desc: "Runs by itself", mode: 2, pause: 60, deal: dealRollback,
			rule: "packet loss above 20%", stages: []stage{{
				title: "auto", desc: "one after the other", mode: 1, objectType: 1, steps: []step{
					{action: 4, random: 200201, recover: 200202, custom: `{"percentage": 60, "timeout": 300}`,
						general: `{"AliasTitle": "", "PreTimeWait": 5, "ActionTimeout": 1800, "AfterTimeWait": 5}`},
					{action: 462, random: 200203, general: plainGeneral, custom: `{"interfaces": "eth0", "percent": 10, "duration": 30}`},
					{action: 5, random: 200202, execute: 200201, general: plainGeneral, custom: "{}"},
				}}}},
		{id: 629, title: "Disk load that stumbles", desc: "The disk action fails at the first attempt", mode: 2, pause: 60, deal: dealPause,
			rule: "disk usage above 95%", stages: []stage{{
				title: "disk", desc: "fails once", mode: 1, objectType: 1, steps: []step{
					{action: 12, random: 200301, recover: 200302, general: firstGeneral, custom: "{}"},
					{action: 8, random: 200303, general: plainGeneral, custom: `{"path": "/data", "duration": 30}`},
					{action: 13, random: 200302, execute: 200301, general: plainGeneral, custom: "{}"},
				}}}},
		{id: 630, title: "Two groups: CPU load and a database failover", desc: "Both groups run on their own", mode: 1, pause: 60, stages: []stage{
			{title: "compute", desc: "CVM", mode: 1, objectType: 1, steps: []step{
				{action: 4, random: 200401, recover: 200402, general: firstGeneral, custom: `{"percentage": 90, "timeout": 300}`},
				{action: 5, random: 200402, execute: 200401, general: plainGeneral, custom: "{}"},
			}},
			{title: "database", desc: "MySQL", mode: 1, objectType: 2, steps: []step{
				{action: 292, random: 200403, general: firstGeneral, custom: "{}"},
			}}}},
		{id: 631, title: "DNS tampering", desc: "Resolves a domain name to another address", mode: 1, pause: 60, stages: []stage{{
			title: "dns", desc: "no recovery: ends by itself", mode: 1, objectType: 1, steps: []step{
				{action: 466, random: 200501, general: firstGeneral, custom: `{"duration": 180, "domain": "shop.example.com", "ip": "192.0.2.1"}`},
			}}}},
		{id: 632, title: "Host outage", desc: "Disabled, and its action is not open to this account", mode: 1, pause: 60, disabled: true, stages: []stage{{
			title: "host", desc: "host", mode: 1, objectType: 1, steps: []step{{action: 501, random: 200601, general: firstGeneral, custom: "{}"}}}}},
	}
}
