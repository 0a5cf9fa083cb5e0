package eventbridge_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/bus/eventbridge"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

var _ = eventbridge.Credentials(driver.Credentials{}) // one converts to the other

func TestParseURL(t *testing.T) {
	wrong := []struct {
		name, url string
		want      []string
	}{
		{"nothing", "", []string{"scheme", "no bus", "no region"}},
		{"not a URL", "eventbridge://b%zz", []string{"not a URL"}},
		{"another scheme", "aliyun-eventbridge://b?region=eu-west-1", []string{`"aliyun-eventbridge"`}},
		{"no bus", "eventbridge://?region=eu-west-1", []string{"no bus"}},
		{"no region", "eventbridge://drills", []string{"no region"}},
		{"a bus with a space", "eventbridge://drills/a%20b?region=eu-west-1", []string{"bus"}},
		{"a long name", "eventbridge://" + strings.Repeat("b", 257) + "?region=eu-west-1", []string{"256"}},
		{"a region that is none", "eventbridge://drills?region=europe", []string{"region"}},
		{"an option that is not known", "eventbridge://drills?region=eu-west-1&regoin=x", []string{`"regoin" is not known`}},
		{"an option twice", "eventbridge://drills?region=eu-west-1&region=us-east-1", []string{"2 times"}},
		{"an endpoint without a host", "eventbridge://drills?region=eu-west-1&endpoint=moto", []string{"endpoint"}},
		{"a password", "eventbridge://key:" + secret + "@drills?region=eu-west-1", []string{"user or a password"}},
		{"a password in a broken URL", "eventbridge://key:" + secret + "@drills:port", []string{"not a URL"}},
		{"a fragment and more", "eventbridge://a!b?x=1#f", []string{"fragment", "a!b", `"x"`, "no region"}},
	}
	for _, c := range wrong {
		t.Run(c.name, func(t *testing.T) {
			_, err := eventbridge.ParseURL(c.url)
			for _, w := range append(c.want, "bus url") {
				if err == nil || !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), secret) {
					t.Errorf("error is %v, want one that says %q and no secret", err, w)
				}
			}
		})
	}
	right := map[string][]string{
		"eventbridge://drills?region=eu-west-1":                                       {"drills", "eu-west-1", ""},
		"eventbridge://Fire_drill.1/?region=cn-north-1":                               {"Fire_drill.1", "cn-north-1", ""},
		"eventbridge://drills/prod?region=us-gov-west-1&endpoint=http://127.0.0.1:50": {"drills/prod", "us-gov-west-1", "http://127.0.0.1:50"},
	}
	for url, want := range right {
		c, err := eventbridge.ParseURL(url)
		must(t, err)
		if got := []string{c.Bus, c.Region, c.Endpoint}; !slices.Equal(got, want) {
			t.Errorf("%s reads as %v, want %v", url, got, want)
		}
	}
}

func TestOpen_ListsEveryMistake(t *testing.T) {
	_, err := eventbridge.Open(eventbridge.Config{Endpoint: "nowhere"})
	for _, w := range []string{"no bus", "no region", "endpoint", "no credentials", "no wait"} {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("error is %v, want one that says %q", err, w)
		}
	}
}
