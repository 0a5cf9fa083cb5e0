package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/inbound"
	"github.com/firedrill/firedrill/shared/setup"
)

const (
	// maxPayload is the largest payload that is looked at: what Lambda itself takes of a synchronous call.
	maxPayload = 6 << 20
	// lastWords is how long a process that is told to end has for the reply of what runs.
	lastWords = 200 * time.Millisecond
)

// lambdaNeeds asks for a dead-letter target: without one a refused payload would be lost, or tried again in vain.
func lambdaNeeds(string) []setup.Need { return []setup.Need{{Variable: "FIREDRILL_DEADLETTER"}} }

// serveLambda runs the loop of Lambda's runtime API. It ends with the process.
func serveLambda(ctx context.Context, h *host, _ string) error {
	i := &invoker{h}
	ended := make(chan struct{})
	go func() {
		lambda.StartWithOptions(i, lambda.WithContext(ctx)) // it never returns: it ends the process when the runtime API is gone
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		h.log.Info("told to end")
		t := time.NewTimer(lastWords)
		defer t.Stop()
		select {
		case <-ended:
		case <-t.C:
		}
	}
	return nil
}

// invoker is the function as Lambda sees it: bytes in, bytes out.
type invoker struct{ *host }

var _ lambda.Handler = (*invoker)(nil)

// shape tells the payloads apart.
type shape struct {
	Records []struct {
		Source string `json:"eventSource"` // aws:sqs; SNS writes EventSource, which encoding/json takes for the same
	} `json:"Records"`
	Request struct {
		HTTP struct {
			Method string `json:"method"`
		} `json:"http"`
	} `json:"requestContext"`
}

// Invoke handles one payload.
func (i *invoker) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		ctx = withRequest(ctx, lc.AwsRequestID)
	}
	var s shape
	_ = json.Unmarshal(payload, &s) // what is malformed is refused with a better reason below
	posted := s.Request.HTTP.Method != "" && i.f.HTTP != nil
	if len(payload) > maxPayload && !posted {
		return i.refuse(ctx, payload, fmt.Errorf("%w: %d bytes, the limit is %d", events.ErrInvalid, len(payload), maxPayload))
	}
	i.before(ctx)
	switch {
	case posted:
		return i.request(ctx, payload)
	case len(s.Records) > 0 && s.Records[0].Source == "aws:sqs":
		return i.batch(ctx, payload)
	}
	again, refused := i.deliver(ctx, payload)
	if again != nil {
		return nil, again // what was refused comes again with it
	}
	if refused != nil {
		return i.refuse(ctx, payload, refused)
	}
	return []byte(`{"handled":true}`), nil
}

// deliver reads a payload and hands its events to the function.
func (i *invoker) deliver(ctx context.Context, payload []byte) (again, refused error) {
	in, bad := inbound.AWS(payload)
	again, refused = i.all(ctx, in)
	return again, errors.Join(bad, refused)
}

// refuse keeps a payload that no retry can mend, and tells Lambda that it is done. Where it cannot be kept, Lambda keeps it.
func (i *invoker) refuse(ctx context.Context, payload []byte, reason error) ([]byte, error) {
	i.log.ErrorContext(ctx, "payload refused", "bytes", len(payload), "payload", events.ID("dead", string(payload)), "error", reason)
	if i.p.Dead == nil {
		return nil, fmt.Errorf("refused, and there is no dead-letter target: %w", reason)
	}
	if err := i.p.Dead.Send(ctx, bytes.Clone(payload), reason.Error()); err != nil {
		return nil, fmt.Errorf("refused (%w), and not kept: %w", reason, err)
	}
	return []byte(`{"refused":true}`), nil
}
