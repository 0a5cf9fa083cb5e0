package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/firedrill/firedrill/deploy/sam"
)

const (
	region    = "us-east-1"
	accountID = "123456789012"
	bucket    = "firedrill-e2e"
	accessKey = "sandbox"
	secret    = "sandbox"
)

// account is an AWS account of a moto server, with the resources of template.yaml that carry events and state.
type account struct {
	t        *testing.T
	endpoint string
	bus      *eventbridge.Client
	s3       *s3.Client
	client   *http.Client
}

func newAccount(t *testing.T, endpoint string) *account {
	t.Helper()
	a := &account{t: t, endpoint: endpoint, client: &http.Client{Timeout: 20 * time.Second}}
	who := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secret}, nil
	})
	a.bus = eventbridge.New(eventbridge.Options{Region: region, BaseEndpoint: &endpoint, Credentials: who})
	a.s3 = s3.New(s3.Options{Region: region, BaseEndpoint: &endpoint, Credentials: who, UsePathStyle: true})
	response, err := a.client.Post(endpoint+"/moto-api/reset", "", nil) // what an earlier run left behind
	must(t, err)
	must(t, response.Body.Close())
	_, err = a.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	must(t, err)
	return a
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (a *account) put(key, text string) {
	a.t.Helper()
	_, err := a.s3.PutObject(a.t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(text)})
	must(a.t, err)
}

// wire makes the rules of the template, each with a queue of its function's as the target: what stands on the queue is what Lambda would be
// handed. Ticks are the test's own, so that it need not wait a minute.
func (a *account) wire(tpl *sam.Template, bus string) {
	a.t.Helper()
	_, err := a.bus.CreateEventBus(a.t.Context(), &eventbridge.CreateEventBusInput{Name: &bus})
	must(a.t, err)
	for _, f := range append(tpl.Functions(), "refused") {
		a.queue("CreateQueue", map[string]any{"QueueName": f}, nil)
	}
	for _, r := range tpl.Rules() {
		if r.Schedule != "" {
			continue
		}
		on := "default"
		if r.Bus != "" {
			on = bus
		}
		pattern, err := json.Marshal(r.Pattern)
		must(a.t, err)
		name := r.Function + r.Name
		_, err = a.bus.PutRule(a.t.Context(), &eventbridge.PutRuleInput{Name: &name, EventBusName: &on, EventPattern: aws.String(string(pattern))})
		must(a.t, err)
		out, err := a.bus.PutTargets(a.t.Context(), &eventbridge.PutTargetsInput{Rule: &name, EventBusName: &on,
			Targets: []types.Target{{Id: aws.String("queue"), Arn: aws.String("arn:aws:sqs:" + region + ":" + accountID + ":" + r.Function)}}})
		must(a.t, err)
		if out.FailedEntryCount > 0 {
			a.t.Fatalf("rule %s: %v", name, out.FailedEntries)
		}
	}
}

// emit puts an event on the account's own bus, as a service of AWS does.
func (a *account) emit(source, detailType, detail string) {
	a.t.Helper()
	out, err := a.bus.PutEvents(a.t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		Source: &source, DetailType: &detailType, Detail: &detail,
		Resources: []string{"arn:aws:cloudwatch:" + region + ":" + accountID + ":alarm:checkout-5xx"},
	}}})
	must(a.t, err)
	if out.FailedEntryCount > 0 {
		a.t.Fatalf("the event was not taken: %v", out.Entries)
	}
}

// address is a queue's URL.
func (a *account) address(queue string) string { return a.endpoint + "/" + accountID + "/" + queue }

type message struct {
	Body          string
	ReceiptHandle string
	Attributes    map[string]struct {
		Value string `json:"StringValue"`
	} `json:"MessageAttributes"`
}

// receive takes what stands on a queue, ten messages at most, off it.
func (a *account) receive(queue string) ([]message, error) {
	var got struct{ Messages []message }
	in := map[string]any{"QueueUrl": a.address(queue), "MaxNumberOfMessages": 10, "MessageAttributeNames": []string{"All"}}
	if err := a.call("ReceiveMessage", in, &got); err != nil {
		return nil, err
	}
	for _, m := range got.Messages {
		if err := a.call("DeleteMessage", map[string]any{"QueueUrl": a.address(queue), "ReceiptHandle": m.ReceiptHandle}, nil); err != nil {
			return nil, err
		}
	}
	return got.Messages, nil
}

func (a *account) queue(operation string, in, out any) {
	a.t.Helper()
	must(a.t, a.call(operation, in, out))
}

// call makes one call of SQS's JSON protocol. moto looks at nothing of a signature but its scope.
func (a *account) call(operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, a.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+accessKey+"/20261121/"+region+"/sqs/aws4_request, SignedHeaders=host, Signature="+strings.Repeat("0", 64))
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %s", operation, response.Status, reply)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(reply, out)
}
