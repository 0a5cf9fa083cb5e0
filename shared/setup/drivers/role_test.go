package drivers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/setup"
)

func TestRole_IsAssumedOnceAndOnlyTheRightOne(t *testing.T) {
	calls := 0
	answer := func(w http.ResponseWriter, r *http.Request) {
		calls++
		if err := r.ParseForm(); err != nil || r.Form.Get("RoleArn") != "arn:aws-cn:iam::123456789012:role/firedrill" || r.Form.Get("RoleSessionName") != "firedrill-start" {
			t.Errorf("asked for %v, %v", r.Form, err)
		}
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=sandbox/") {
			t.Error("it was not signed with the function's own credentials")
		}
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>AKROLE</AccessKeyId>
			<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
			time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}
	s := httptest.NewServer(http.HandlerFunc(answer))
	defer s.Close()
	p := parts(t, setup.Live)
	p.Name = "start"
	getenv := p.Getenv
	p.Getenv = func(k string) string {
		if k == "AWS_ENDPOINT_URL_STS" {
			return s.URL
		}
		return getenv(k)
	}
	d := Open(p, Verify)
	for range 3 {
		get, err := d.credentials(drill.Account{Name: "a", Cloud: "aws", ID: "123456789012", Region: "cn-north-1", Role: "firedrill"})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := get(t.Context()); err != nil || c.AccessKey != "AKROLE" || c.Token != "t" || c.Expires.IsZero() {
			t.Fatalf("%v, %v", c, err)
		}
	}
	if calls != 1 {
		t.Errorf("the role was assumed %d times", calls)
	}
}
