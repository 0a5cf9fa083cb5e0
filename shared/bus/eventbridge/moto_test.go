package eventbridge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/inbound"
)

// endpointVariable names a running server with EventBridge and SQS, such as moto_server's http://127.0.0.1:5000.
const endpointVariable = "FIREDRILL_TEST_EVENTBRIDGE"

// TestServer_TheWholeWayBack publishes on a bus of a server that we did not write, lets a rule hand the events to a queue, and
// reads them out of the envelopes that the server made.
func TestServer_TheWholeWayBack(t *testing.T) {
	endpoint := os.Getenv(endpointVariable)
	if endpoint == "" {
		t.Skip(endpointVariable + " names no server")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	c := config(endpoint, &waits{})
	c.Bus = fmt.Sprintf("firedrill-%d", time.Now().UnixNano())
	queue := route(t, endpoint, c.Bus)
	out := []events.Event{note(t, "first", "演练「订单」 🔥 \"quoted\" <b>&amp;</b>")}
	out = append(out, numbered(t, 24)...)
	out = append(out, sized(t, 2, events.MaxBytes-1024)...) // room for a bus that writes its JSON with spaces
	must(t, open(t, c).Publish(t.Context(), out...))
	got := map[string][]byte{}
	for range 20 { // receives of at most 10 each
		for _, body := range receive(t, endpoint, queue) {
			es, err := inbound.AWS([]byte(body))
			must(t, err)
			if len(es) != 1 || got[es[0].ID()] != nil {
				t.Fatalf("%d events, or one twice: %s", len(es), body)
			}
			b, err := es[0].MarshalJSON()
			must(t, err)
			got[es[0].ID()] = b
		}
	}
	if len(got) != len(out) {
		t.Fatalf("%d events came back, want %d", len(got), len(out))
	}
	for _, want := range out {
		b, err := want.MarshalJSON()
		must(t, err)
		if !sameJSON(t, got[want.ID()], b) {
			t.Errorf("event is %s, want %s", got[want.ID()], b)
		}
	}
}

// sameJSON compares values: a bus is free to write its JSON anew.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	must(t, json.Unmarshal(a, &x))
	must(t, json.Unmarshal(b, &y))
	p, err := json.Marshal(x)
	must(t, err)
	q, err := json.Marshal(y)
	must(t, err)
	return bytes.Equal(p, q)
}

// route makes a bus, a queue, and a rule between them as template.yaml has it.
func route(t *testing.T, endpoint, bus string) (queue string) {
	t.Helper()
	client := sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: aws.String(endpoint),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secret}, nil
		})})
	_, err := client.CreateEventBus(t.Context(), &sdk.CreateEventBusInput{Name: &bus})
	must(t, err)
	var made struct {
		QueueURL string `json:"QueueUrl"`
	}
	sqs(t, endpoint, "CreateQueue", map[string]any{"QueueName": bus}, &made)
	_, err = client.PutRule(t.Context(), &sdk.PutRuleInput{Name: aws.String("notes"), EventBusName: &bus,
		EventPattern: aws.String(`{"source":["firedrill"],"detail-type":["` + events.TypeNote + `"]}`)})
	must(t, err)
	_, err = client.PutTargets(t.Context(), &sdk.PutTargetsInput{Rule: aws.String("notes"), EventBusName: &bus,
		Targets: []types.Target{{Id: aws.String("queue"), Arn: aws.String("arn:aws:sqs:eu-west-1:123456789012:" + bus)}}})
	must(t, err)
	return made.QueueURL
}

func receive(t *testing.T, endpoint, queue string) []string {
	t.Helper()
	var got struct {
		Messages []struct{ Body string }
	}
	sqs(t, endpoint, "ReceiveMessage", map[string]any{"QueueUrl": queue, "MaxNumberOfMessages": 10}, &got)
	var out []string
	for _, m := range got.Messages {
		out = append(out, m.Body)
	}
	return out
}

// sqs makes one call of SQS's JSON protocol; the servers that this test is for look at the signature's scope alone.
func sqs(t *testing.T, endpoint, operation string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, bytes.NewReader(body))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+accessKey+"/20261121/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature="+strings.Repeat("0", 64))
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	reply, err := io.ReadAll(response.Body)
	must(t, err)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s", operation, response.Status, reply)
	}
	must(t, json.Unmarshal(reply, out))
}
