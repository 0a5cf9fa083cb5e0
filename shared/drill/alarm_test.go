package drill

import (
	"reflect"
	"testing"
)

func TestAlarm_Matches(t *testing.T) {
	named := Alarm{Name: "checkout-5xx", Source: "cloudwatch", Match: "checkout-5xx"}
	labelled := Alarm{Name: "cart-errors", Source: "alertmanager", Labels: map[string]string{"alertname": "CartErrors", "env": "prod"}}
	anywhere := Alarm{Name: "any", Source: "any", Match: "x"}
	tests := []struct {
		name   string
		alarm  Alarm
		source string
		called string
		labels map[string]string
		want   bool
	}{
		{"another name", named, "cloudwatch", "cart-5xx", nil, false},
		{"another source", named, "alertmanager", "checkout-5xx", nil, false},
		{"a name that only ends alike", named, "cloudwatch", "my-checkout-5xx", nil, false},
		{"a label is missing", labelled, "alertmanager", "CartErrors", map[string]string{"alertname": "CartErrors"}, false},
		{"a label differs", labelled, "alertmanager", "CartErrors", map[string]string{"alertname": "CartErrors", "env": "test"}, false},
		{"an alarm that selects nothing", Alarm{Name: "x", Source: "any"}, "cloudwatch", "x", nil, false},
		{"the catalogue's name, but not raised here", labelled, "alertmanager", "cart-errors", nil, false},
		{"its name", named, "cloudwatch", "checkout-5xx", nil, true},
		{"its ARN", named, "cloudwatch", "arn:aws:cloudwatch:us-east-1:1:alarm:checkout-5xx", nil, true},
		{"its labels and more", labelled, "alertmanager", "CartErrors", map[string]string{"alertname": "CartErrors", "env": "prod", "pod": "x"}, true},
		{"any source", anywhere, "tcop", "x", nil, true},
		{"raised here by the catalogue's name", labelled, "local", "cart-errors", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.alarm.Matches(tt.source, tt.called, tt.labels); got != tt.want {
				t.Errorf("matches: %v", got)
			}
			back, ok := ParseSelector(tt.alarm.Selector())
			if !ok || back.Matches(tt.source, tt.called, tt.labels) != tt.want {
				t.Errorf("by its selector %q: %v", tt.alarm.Selector(), back)
			}
		})
	}
}

func TestSelector_RoundTrip(t *testing.T) {
	for _, a := range []Alarm{
		{Name: "a", Source: "any", Match: "x"},
		{Name: "支付 & \"pay\"=100%", Source: "cloudmonitor", Match: "a;b&c=d"},
		{Name: "l", Source: "alertmanager", Labels: map[string]string{"a=b": "c&d", "": "empty", "label.x": "y", "e": ""}},
	} {
		got, ok := ParseSelector(a.Selector())
		if !ok || got.Name != a.Name || got.Source != a.Source || got.Match != a.Match || !reflect.DeepEqual(got.Labels, a.Labels) {
			t.Errorf("%+v came back as %+v, %v", a, got, ok)
		}
	}
	for _, s := range []string{"", "%zz", "name=x", "source="} {
		if a, ok := ParseSelector(s); ok {
			t.Errorf("%q is read as %+v", s, a)
		}
	}
}

func TestPlan_SelectorsAreThoseOfStopOn(t *testing.T) {
	p := plan()
	p.Alarms = map[string]Alarm{"a": {Name: "a", Source: "any", Match: "x"}, "b": {Name: "b", Source: "any", Match: "y"}}
	p.StopOn = []string{"b", "gone"}
	if got := p.Selectors(); len(got) != 1 {
		t.Errorf("selectors %v", got)
	}
	if _, ok := p.StoppedBy("tcop", "x", nil); ok {
		t.Error("an alarm outside stop_on stops the drill")
	}
	if a, ok := p.StoppedBy("tcop", "y", nil); !ok || a.Name != "b" {
		t.Errorf("alarm %+v, %v", a, ok)
	}
}
