package sandbox

import (
	"net/http"
	"strings"
)

// knob is one line of the index.
type knob struct {
	Does string `json:"does"`
	Try  string `json:"try"`
}

// knobs lists what /_sandbox/ offers, each with a line to copy.
func knobs(base string) []knob {
	curl := "curl " + base
	send := func(method, path, body string) string {
		return "curl -X " + method + " " + base + path + " -d '" + body + "'"
	}
	return []knob{
		{"all runs of all services, ?service=fis, ?live=1 for those whose faults are in effect", curl + "runs"},
		{"the latest requests with operation, status and the faults played, ?service=, ?op=", curl + "requests"},
		{"the whole state of a service", curl + "state/cfg"},
		{"raise a CloudWatch alarm", send("PUT", "alarms/checkout-5xx", `{"state": "firing", "reason": "5xx above 1%"}`)},
		{"clear it", send("PUT", "alarms/checkout-5xx", `{"state": "resolved"}`)},
		{"the clock", curl + "clock"},
		{"move the clock", send("POST", "clock", `{"advance": "90s"}`)},
		{"run the clock faster", send("POST", "clock", `{"speed": 10}`)},
		{"every call to FIS takes 2 s longer (real seconds)", send("POST", "faults", `{"fault": "latency", "service": "fis", "delay": "2s"}`)},
		{"the next three calls are throttled", send("POST", "faults", `{"fault": "throttle", "times": 3}`)},
		{"the next start fails with a 5xx and nothing was done", send("POST", "faults", `{"fault": "error-before", "kind": "start", "times": 1}`)},
		{"the next start works and its reply is a 5xx", send("POST", "faults", `{"fault": "error-after", "kind": "start", "times": 1}`)},
		{"the next start works and its reply is lost", send("POST", "faults", `{"fault": "lose-reply", "kind": "start", "times": 1}`)},
		{"the next start works and its reply is held; hold-before holds the request itself", send("POST", "faults", `{"id": "h", "fault": "hold", "kind": "start", "times": 1}`)},
		{"let go what fault h holds", "curl -X POST " + base + "release/h"},
		{"stops answer success and do nothing", send("POST", "faults", `{"id": "liar", "fault": "lie"}`)},
		{"reads answer what they answered 30 s ago", send("POST", "faults", `{"fault": "stale", "age": "30s"}`)},
		{"the faults in force; PUT replaces them all with a list", curl + "faults"},
		{"remove one fault; without an id all", "curl -X DELETE " + base + "faults/liar"},
		{"forget runs, faults, alarms and requests; templates and the clock stay", "curl -X POST " + base + "reset"},
	}
}

func (s *Sandbox) index(r *http.Request) *reply {
	list := knobs("http://" + r.Host + "/_sandbox/")
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		return ok(map[string]any{"services": s.names(), "knobs": list, "selectors": []string{"service", "op", "kind", "match", "times"}, "effects": Effects()})
	}
	var b strings.Builder
	b.WriteString("The sandbox of " + strings.Join(s.names(), ", ") + ". Credentials: access key sandbox, secret sandbox, any region.\n")
	b.WriteString("A fault hits the calls that match all of its service, op, kind (read, create, start, advance, stop, write)\nand match (a part of the resource or body), as many times as it says, or until it is removed.\n")
	for _, k := range list {
		b.WriteString("\n# " + k.Does + "\n" + k.Try + "\n")
	}
	out := newReply()
	out.header.Set("Content-Type", "text/plain; charset=utf-8")
	out.header.Set("X-Content-Type-Options", "nosniff")
	out.WriteHeader(http.StatusOK)
	_, _ = out.Write([]byte(b.String())) // a reply in memory takes every write
	out.seal()
	return out
}
