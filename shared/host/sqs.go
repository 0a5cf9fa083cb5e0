package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/firedrill/firedrill/events"
)

// message is one record of a batch. https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
type message struct {
	ID   string `json:"messageId"`
	Body string `json:"body"`
}

// failures is the partial reply to a batch: the records to deliver again.
type failures struct {
	Items []failure `json:"batchItemFailures"`
}

type failure struct {
	ID string `json:"itemIdentifier"`
}

// batch handles the records one after the other and names those that failed. An empty list says that all went well.
func (i *invoker) batch(ctx context.Context, payload []byte) ([]byte, error) {
	var b struct {
		Records []message `json:"Records"`
	}
	if err := json.Unmarshal(payload, &b); err != nil {
		return i.refuse(ctx, payload, fmt.Errorf("%w: sqs batch: not as AWS documents it", events.ErrInvalid))
	}
	out := failures{Items: []failure{}}
	for _, m := range b.Records {
		if m.ID == "" {
			return nil, errors.New("sqs batch: a record has no messageId, so none can be named")
		}
		if err := i.record(ctx, m); err != nil {
			i.log.ErrorContext(ctx, "record failed", "record", m.ID, "final", events.Final(err), "error", err)
			out.Items = append(out.Items, failure{m.ID})
		}
	}
	return json.Marshal(out)
}

// record handles one record. A panic fails this record, not the batch: else it would take all the others along, again and again.
func (i *invoker) record(ctx context.Context, m message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			i.log.ErrorContext(ctx, "panic", "record", m.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = errors.New("the function panicked")
		}
	}()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("no time left: %w", err)
	}
	again, refused := i.deliver(ctx, unwrap([]byte(m.Body)))
	return errors.Join(again, refused)
}

// unwrap gives a message that SNS put on the queue the form in which SNS calls a function.
func unwrap(body []byte) []byte {
	var n struct {
		Type    string `json:"Type"`
		Topic   string `json:"TopicArn"`
		Message string `json:"Message"`
		Spec    string `json:"specversion"`
	}
	if json.Unmarshal(body, &n) != nil || n.Type != "Notification" || n.Topic == "" || n.Spec != "" {
		return body
	}
	return []byte(`{"Records":[{"EventSource":"aws:sns","Sns":` + string(body) + `}]}`)
}
