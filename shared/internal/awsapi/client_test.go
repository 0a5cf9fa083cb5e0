package awsapi

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// TestHost_AsTheSDKResolves compares addresses with those of the SDK's own tables.
func TestHost_AsTheSDKResolves(t *testing.T) {
	for _, region := range []string{"us-east-1", "eu-west-1", "ap-southeast-5", "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "us-isof-south-1", "eu-isoe-west-1", "eusc-de-east-1"} {
		bus, err := eventbridge.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), eventbridge.EndpointParameters{Region: &region, UseFIPS: aws.Bool(false), UseDualStack: aws.Bool(false)})
		must(t, err)
		who, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), sts.EndpointParameters{Region: &region, UseFIPS: aws.Bool(false), UseDualStack: aws.Bool(false), UseGlobalEndpoint: aws.Bool(false)})
		must(t, err)
		if got := host("events", region); got != bus.URI.Host {
			t.Errorf("events in %s is at %s, want %s", region, got, bus.URI.Host)
		}
		if got := host("sts", region); got != who.URI.Host {
			t.Errorf("sts in %s is at %s, want %s", region, got, who.URI.Host)
		}
	}
}

func TestJSON_Answers(t *testing.T) {
	cases := []struct {
		name   string
		status int
		body   string
		want   Error // zero for an error that is none of AWS's
	}{
		{"a refusal", 400, `{"__type":"com.amazonaws.events#ThrottlingException","message":"slow"}`, Error{Status: 400, Code: "ThrottlingException", Message: "slow"}},
		{"a page that is not AWS's", 503, "<html>busy", Error{Status: 503}},
		{"cut short", 200, `{"Entries":[`, Error{}},
		{"too large", 200, strings.Repeat(" ", maxReply+1), Error{Status: 200, Code: "TooLarge"}},
		{"another place", 307, "", Error{Status: 307}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://127.0.0.1:1/")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer s.Close()
			var out struct{ Entries []string }
			err := New(Options{Service: "events", Region: region, Endpoint: s.URL, Credentials: fixed}).PutEvents(t.Context(), struct{}{}, &out)
			var no *Error
			switch ok := errors.As(err, &no); {
			case err == nil:
				t.Error("no error")
			case c.want == Error{} && ok, c.want != Error{} && !ok:
				t.Errorf("got %v", err)
			case ok && (no.Status != c.want.Status || no.Code != c.want.Code || c.want.Message != "" && no.Message != c.want.Message):
				t.Errorf("got %+v", no)
			}
			for _, s := range []string{secret, token} {
				if strings.Contains(err.Error(), s) {
					t.Errorf("error %q holds a secret", err)
				}
			}
		})
	}
}

func TestAssumeRole_RepliesWithoutCredentials(t *testing.T) {
	for _, body := range []string{"", "<AssumeRoleResponse/>", "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId></Credentials></AssumeRoleResult></AssumeRoleResponse>"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		c := New(Options{Service: "sts", Region: region, Endpoint: s.URL, Credentials: fixed})
		if got, err := c.AssumeRole(t.Context(), "arn:aws:iam::1:role/r", "s"); err == nil {
			t.Errorf("%q gives %v", body, got.AccessKey)
		}
		if got, err := c.GetCallerIdentity(t.Context()); err == nil {
			t.Errorf("%q gives %v", body, got)
		}
		s.Close()
	}
}
