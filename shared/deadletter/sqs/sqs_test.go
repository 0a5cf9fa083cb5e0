package sqs

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

func open(t *testing.T, h http.HandlerFunc) *Queue {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	q, err := Open(Options{Queue: s.URL + "/123456789012/dead", Region: "eu-west-1", Transport: http.DefaultTransport, Now: func() time.Time { return time.Unix(1e9, 0) },
		Credentials: func(context.Context) (driver.Credentials, error) {
			return driver.Credentials{AccessKey: "AK", Secret: "s3cr3t", Token: "session"}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestSend_Failures(t *testing.T) {
	q := open(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}`)
	})
	if err := q.Send(t.Context(), []byte("x"), "r"); err == nil || !strings.Contains(err.Error(), "400 QueueDoesNotExist") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("got %v", err)
	}
	if err := q.Send(t.Context(), make([]byte, MaxBytes), "r"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a megabyte: %v", err)
	}
}

func TestSend_PayloadsArriveIntact(t *testing.T) {
	for name, payload := range map[string]string{"json": `{"a":"<&>é"}`, "control characters": "a\x00b", "no UTF-8": "\xff\xfe", "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			var got message
			q := open(t, func(w http.ResponseWriter, r *http.Request) {
				auth := r.Header.Get("Authorization")
				if r.URL.Path != "/" || r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessage" || r.Header.Get("Content-Type") != "application/x-amz-json-1.0" ||
					!strings.Contains(auth, "Credential=AK/20010909/eu-west-1/sqs/aws4_request") || r.Header.Get("X-Amz-Security-Token") != "session" {
					t.Errorf("%s with %v", r.URL, r.Header)
				}
				if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
					t.Error(err)
				}
			})
			if err := q.Send(t.Context(), []byte(payload), "because\nof "+strings.Repeat("é", 2000)); err != nil {
				t.Fatal(err)
			}
			body := got.MessageBody
			if got.MessageAttributes["encoding"].StringValue == "base64" {
				b, err := base64.StdEncoding.DecodeString(body)
				if err != nil {
					t.Fatal(err)
				}
				body = string(b)
			}
			reason := got.MessageAttributes["reason"].StringValue
			if body != payload || !strings.HasPrefix(reason, "because of é") || len(reason) > maxReason {
				t.Errorf("got %q because of %d bytes", body, len(reason))
			}
		})
	}
}

func TestOpen_ReadsTheRegionOffTheAddress(t *testing.T) {
	o := Options{Queue: "https://sqs.ap-northeast-1.amazonaws.com/123456789012/q", Transport: http.DefaultTransport, Now: time.Now,
		Credentials: func(context.Context) (driver.Credentials, error) { return driver.Credentials{}, nil }}
	q, err := Open(o)
	if err != nil || q.o.Region != "ap-northeast-1" {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"", "https://sqs.eu-west-1.amazonaws.com/", "arn:aws:sqs:eu-west-1:1:q"} {
		if o.Queue = bad; func() error { _, err := Open(o); return err }() == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
