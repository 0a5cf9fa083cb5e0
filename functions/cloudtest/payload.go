package cloudtest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat/webhook"
)

// The clocks of AWS.
const (
	Scheduler = "aws.scheduler" // EventBridge Scheduler, whose detail is a text
	Rule      = "aws.events"    // a scheduled rule
)

// Tick is what a clock hands over.
func Tick(clock string, at time.Time) []byte {
	detail := "{}"
	if clock == Scheduler {
		detail = `"{}"`
	}
	return []byte(`{"version":"0","id":"cdc73f9d-aea9-11e3-9d5a-835b769c0d9c","detail-type":"Scheduled Event","source":"` + clock +
		`","account":"123456789012","time":"` + at.UTC().Format(time.RFC3339) + `","region":"us-east-1","resources":["arn:aws:` + strings.TrimPrefix(clock, "aws.") +
		`:us-east-1:123456789012:tick"],"detail":` + detail + `}`)
}

// Alarm is the detail of an alarm's change of state, with its time as CloudWatch writes it.
func Alarm(state string) string {
	return `{"alarmName":"checkout-5xx","state":{"value":"` + state + `","reason":"too many","timestamp":"` +
		time.Now().UTC().Format("2006-01-02T15:04:05.000-0700") + `"},"previousState":{"value":"OK"}}`
}

// Request is what a function URL hands over, its body in base64.
func Request(path, body string, headers map[string]string) []byte {
	payload, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "headers": headers, "isBase64Encoded": true,
		"body":           base64.StdEncoding.EncodeToString([]byte(body)),
		"requestContext": map[string]any{"domainName": "x.lambda-url.us-east-1.on.aws", "stage": "$default", "http": map[string]string{"method": "POST", "sourceIp": "192.0.2.1"}},
	})
	if err != nil {
		panic(err) // texts alone
	}
	return payload
}

// Signed is a chat command as its function URL hands it over.
func Signed(id, body string) []byte {
	secrets, err := webhook.ParseSecrets(InSecret)
	if err != nil {
		panic(err) // it is a constant
	}
	h := http.Header{}
	if err := webhook.Sign(h, id, time.Now(), []byte(body), secrets); err != nil {
		panic(err) // there is a secret to sign with
	}
	headers := map[string]string{"content-type": "application/json"}
	for name := range h {
		headers[strings.ToLower(name)] = h.Get(name)
	}
	return Request("/chat/webhook", body, headers)
}
