package simulate

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox"
)

// freshFor bounds how old a stale answer may be: less than the gap between the two lookups that prove a run was never started.
const freshFor = 25 * time.Second

// wire takes every call to a vendor over the scheduler's boundary, and plays the sandbox's own faults.
type wire struct {
	box     *sandbox.Sandbox
	inner   http.RoundTripper
	sched   *Scheduler
	answers map[string][]answered
	sent    func(op, body string) // told of every call that reached the service
}

// answered is what a read answered, and when.
type answered struct {
	at     time.Time
	status int
	header http.Header
	body   []byte
}

// RoundTrip makes one call.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := content(r)
	if err != nil {
		return nil, err
	}
	op, key, kind := label(r, body)
	var out *http.Response
	err = w.sched.cross(r.Context(), kind, op, key, func(ctx context.Context, a act) (err error) {
		again := r.Clone(ctx)
		again.Body = io.NopCloser(bytes.NewReader(body))
		out, err = w.play(again, op+key, kind, a)
		if w.sent != nil && a != throttle && a != innerBefore {
			w.sent(op, string(body))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func content(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	return b, r.Body.Close()
}

// play makes the call with one of the sandbox's faults.
func (w *wire) play(r *http.Request, key string, kind sort, a act) (*http.Response, error) {
	effects := map[act]sandbox.Effect{throttle: sandbox.Throttle, innerBefore: sandbox.ErrorBefore, innerAfter: sandbox.ErrorAfter}
	if e, ok := effects[a]; ok {
		id, err := w.box.AddFault(sandbox.Fault{Fault: e, Times: 1})
		if err != nil {
			return nil, err
		}
		defer w.box.RemoveFault(id)
	}
	out, err := w.inner.RoundTrip(r)
	if err != nil || kind != vendorRead || out.StatusCode >= 300 {
		return out, err
	}
	if a == stale {
		if old := w.before(key); old != nil {
			return &http.Response{Status: http.StatusText(old.status), StatusCode: old.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
				Header: old.header.Clone(), Body: io.NopCloser(bytes.NewReader(old.body)), ContentLength: int64(len(old.body)), Request: r}, nil
		}
	}
	b, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, err
	}
	out.Body = io.NopCloser(bytes.NewReader(b))
	w.answers[key] = append(w.answers[key], answered{time.Now(), out.StatusCode, out.Header.Clone(), b})
	return out, nil
}

// before returns the oldest answer to the same question that is fresh enough.
func (w *wire) before(key string) *answered {
	for i, a := range w.answers[key] {
		if time.Since(a.at) < freshFor {
			return &w.answers[key][i]
		}
	}
	return nil
}

// label names a call: what is asked for, a sum of all that is asked about it, and what kind of call it is.
func label(r *http.Request, body []byte) (op, key string, kind sort) {
	q := r.URL.Query()
	form, err := url.ParseQuery(string(body))
	if ct := r.Header.Get("Content-Type"); err == nil && strings.HasPrefix(ct, "application/x-www-form-urlencoded") {
		for k, v := range form {
			q[k] = v
		}
		body = nil
	}
	action := q.Get("Action")
	for _, k := range []string{"Signature", "SignatureNonce", "Timestamp"} {
		q.Del(k)
	}
	if tc := r.Header.Get("X-TC-Action"); tc != "" {
		action = tc
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s %s ", r.URL.Path, q.Encode())
	sorted := slices.Clone(body) // SDKs write maps in any order
	slices.Sort(sorted)
	h.Write(sorted)
	key = fmt.Sprintf("%08x", h.Sum32())
	if action == "" {
		return r.Method, r.URL.Path + " " + key, restKind(r)
	}
	return action, key, rpcKind(action)
}

func restKind(r *http.Request) sort {
	switch {
	case r.Method == http.MethodGet:
		return vendorRead
	case r.Method == http.MethodPost && r.URL.Path == "/experiments":
		return vendorStart
	}
	return vendorWrite
}

func rpcKind(action string) sort {
	switch action {
	case "ExecuteTask", "StartExecution", "ExecuteExperiment":
		return vendorStart
	}
	for _, p := range []string{"Describe", "Get", "List", "Query", "Pageable", "Check", "Validate"} {
		if strings.HasPrefix(action, p) {
			return vendorRead
		}
	}
	return vendorWrite
}
