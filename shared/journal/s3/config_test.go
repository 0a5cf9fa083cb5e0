package s3_test

import (
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/journal/s3"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

var _ = s3.Credentials(driver.Credentials{}) // one converts to the other

func TestParseURL(t *testing.T) {
	wrong := []struct {
		name, url string
		want      []string
	}{
		{"nothing", "", []string{"scheme", "no bucket", "no region"}},
		{"not a URL", "s3://b%zz", []string{"not a URL"}},
		{"another scheme", "oss://drills?region=eu-west-1", []string{`"oss"`}},
		{"no bucket", "s3:///prefix?region=eu-west-1", []string{"no bucket"}},
		{"no region", "s3://drills/prefix", []string{"no region"}},
		{"a directory bucket", "s3://drills--euw1-az1--x-s3?region=eu-west-1", []string{"directory bucket"}},
		{"a bucket in upper case", "s3://Drills?region=eu-west-1", []string{`"Drills"`}},
		{"a region that is none", "s3://drills?region=eu/../x", []string{"region"}},
		{"a prefix with an empty part", "s3://drills/a//b?region=eu-west-1", []string{"prefix"}},
		{"a prefix that climbs", "s3://drills/a/../b?region=eu-west-1", []string{"prefix"}},
		{"a prefix with a space", "s3://drills/a%20b?region=eu-west-1", []string{"prefix"}},
		{"a long prefix", "s3://drills/" + strings.Repeat("p", 257) + "?region=eu-west-1", []string{"257 bytes"}},
		{"an option that is not known", "s3://drills?region=eu-west-1&regoin=x", []string{`"regoin" is not known`}},
		{"an option twice", "s3://drills?region=eu-west-1&region=us-east-1", []string{"2 times"}},
		{"a style that is none", "s3://drills?region=eu-west-1&path_style=yes", []string{"path_style"}},
		{"an endpoint without a host", "s3://drills?region=eu-west-1&endpoint=minio", []string{"endpoint"}},
		{"an endpoint with a password", "s3://drills?region=eu-west-1&endpoint=http://u:" + secret + "@h", []string{"endpoint"}},
		{"a password", "s3://key:" + secret + "@drills?region=eu-west-1", []string{"user or a password"}},
		{"a password in a broken URL", "s3://key:" + secret + "@drills:port?region=eu-west-1", []string{"not a URL"}},
		{"a fragment and more", "s3://D?x=1#f", []string{"fragment", `"D"`, `"x"`, "no region"}},
	}
	for _, c := range wrong {
		t.Run(c.name, func(t *testing.T) {
			_, err := s3.ParseURL(c.url)
			wantPlain(t, err, append(c.want, "journal url")...)
		})
	}
	right := map[string]s3.Config{
		"s3://drills?region=eu-west-1":           {Bucket: "drills", Region: "eu-west-1"},
		"s3://drills/?region=cn-north-1":         {Bucket: "drills", Region: "cn-north-1"},
		"s3://my.drills/a/b-1/?region=us-east-1": {Bucket: "my.drills", Prefix: "a/b-1", Region: "us-east-1"},
		"s3://d-1/p?region=us-gov-west-1&endpoint=http://127.0.0.1:9000&path_style=true": {
			Bucket: "d-1", Prefix: "p", Region: "us-gov-west-1", Endpoint: "http://127.0.0.1:9000", PathStyle: true},
	}
	for url, want := range right {
		got, err := s3.ParseURL(url)
		must(t, err)
		if got.Bucket != want.Bucket || got.Prefix != want.Prefix || got.Region != want.Region || got.Endpoint != want.Endpoint || got.PathStyle != want.PathStyle {
			t.Errorf("%s reads as %+v", url, got)
		}
	}
}

func TestOpen_ListsEveryMistake(t *testing.T) {
	_, err := s3.Open(s3.Config{Endpoint: "nowhere"})
	wantPlain(t, err, "no bucket", "no region", "endpoint", "no credentials", "no wait")
}
