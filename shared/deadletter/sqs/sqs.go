// Package sqs puts refused payloads on an SQS queue. It makes one call, SendMessage.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
package sqs

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/internal/awsapi"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// MaxBytes is the most that one message takes, attributes included.
const MaxBytes = 1 << 20

const (
	timeout   = 5 * time.Second
	maxReason = 1024
)

// ErrTooLarge means that a payload does not fit into a message.
var ErrTooLarge = errors.New("the payload is larger than a message may be")

// Options are what a Queue needs. All are required, save for Region, which is read off an address of AWS's own.
type Options struct {
	Queue       string // the queue's URL
	Region      string
	Credentials func(ctx context.Context) (driver.Credentials, error)
	Transport   http.RoundTripper
	Now         func() time.Time
}

// Queue is a dead-letter queue. It is safe for concurrent use.
type Queue struct {
	address string
	client  *awsapi.Client
}

// Permissions lists the actions that Queue needs.
func Permissions() []string { return []string{"sqs:SendMessage"} }

// Open returns the queue; it makes no call.
func Open(o Options) (*Queue, error) {
	u, err := url.Parse(o.Queue)
	if err != nil || u.Host == "" || strings.Count(strings.Trim(u.Path, "/"), "/") != 1 {
		return nil, errors.New("want a queue's URL: https://sqs.<region>.amazonaws.com/<account>/<name>")
	}
	if parts := strings.Split(u.Hostname(), "."); len(parts) > 3 && parts[0] == "sqs" {
		o.Region = parts[1]
	}
	switch {
	case o.Region == "":
		return nil, errors.New("the region is not known: set AWS_REGION")
	case o.Credentials == nil || o.Transport == nil || o.Now == nil:
		return nil, errors.New("it needs credentials, a transport and a clock")
	}
	credentials := func(ctx context.Context) (awsapi.Credentials, error) {
		c, err := o.Credentials(ctx)
		return awsapi.Credentials(c), err
	}
	return &Queue{address: o.Queue, client: awsapi.New(awsapi.Options{
		Service: "sqs", Region: o.Region, Endpoint: u.Scheme + "://" + u.Host, Credentials: credentials, Transport: o.Transport, Timeout: timeout, Now: o.Now,
	})}, nil
}

type attribute struct {
	DataType    string
	StringValue string
}

type message struct {
	QueueUrl          string //nolint:revive,staticcheck // the wire's own name
	MessageBody       string
	MessageAttributes map[string]attribute
}

// Send puts a payload on the queue as it is, with the reason as an attribute. One that no message can hold as text is sent as base64, and
// says so in the attribute "encoding".
func (q *Queue) Send(ctx context.Context, payload []byte, reason string) error {
	m := message{QueueUrl: q.address, MessageBody: string(payload), MessageAttributes: map[string]attribute{"reason": {"String", clean(reason)}}}
	if !plain(payload) {
		m.MessageBody = base64.StdEncoding.EncodeToString(payload)
		m.MessageAttributes["encoding"] = attribute{"String", "base64"}
	}
	if len(m.MessageBody)+2*maxReason > MaxBytes {
		return fmt.Errorf("send to the dead-letter queue: %w", ErrTooLarge)
	}
	if err := q.client.SendMessage(ctx, m); err != nil {
		return fmt.Errorf("send to the dead-letter queue: %w", err)
	}
	return nil
}

// plain reports whether SQS takes the bytes as text: XML's characters, at least one.
func plain(b []byte) bool {
	if len(b) == 0 || !utf8.Valid(b) {
		return false
	}
	for _, r := range string(b) {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return false
		}
	}
	return true
}

// clean makes a reason that an attribute takes.
func clean(reason string) string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(reason, "?"))
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "")
	}
	if s == "" {
		s = "unknown"
	}
	return s
}
