// Package sqs puts refused payloads on an SQS queue. It makes one call, SendMessage, signed with the SDK's own signer: the SDK's client
// for it would weigh more than all of it.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
package sqs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

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
	o      Options
	base   string
	client *http.Client
	signer *v4.Signer
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
	return &Queue{o: o, base: u.Scheme + "://" + u.Host + "/", client: &http.Client{Transport: o.Transport, Timeout: timeout}, signer: v4.NewSigner()}, nil
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
	m := message{QueueUrl: q.o.Queue, MessageBody: string(payload), MessageAttributes: map[string]attribute{"reason": {"String", clean(reason)}}}
	if !plain(payload) {
		m.MessageBody = base64.StdEncoding.EncodeToString(payload)
		m.MessageAttributes["encoding"] = attribute{"String", "base64"}
	}
	if len(m.MessageBody)+2*maxReason > MaxBytes {
		return fmt.Errorf("send to the dead-letter queue: %w", ErrTooLarge)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("send to the dead-letter queue: %w", err)
	}
	if err := q.post(ctx, body, "AmazonSQS.SendMessage"); err != nil {
		return fmt.Errorf("send to the dead-letter queue: %w", err)
	}
	return nil
}

func (q *Queue) post(ctx context.Context, body []byte, target string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, q.base, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", target)
	c, err := q.o.Credentials(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	creds := aws.Credentials{AccessKeyID: c.AccessKey, SecretAccessKey: c.Secret, SessionToken: c.Token}
	if err := q.signer.SignHTTP(ctx, creds, req, hex.EncodeToString(sum[:]), "sqs", q.o.Region, q.o.Now()); err != nil {
		return err
	}
	res, err := q.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusOK {
		return nil
	}
	var no struct {
		Type string `json:"__type"`
	}
	_ = json.Unmarshal(reply, &no) // the status says enough
	_, code, _ := strings.Cut(no.Type, "#")
	return fmt.Errorf("it answered %d %s", res.StatusCode, code)
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
