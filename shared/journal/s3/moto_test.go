package s3_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/firedrill/firedrill/shared/journal"
	store "github.com/firedrill/firedrill/shared/journal/s3"
	"github.com/firedrill/firedrill/shared/journal/storetest"
)

// endpointVariable names a running S3 server that is safe to write to, such as moto_server's http://127.0.0.1:5000.
const endpointVariable = "FIREDRILL_TEST_S3"

// served opens empty stores in one new bucket of that server, or skips the test.
func served(t *testing.T) func(t *testing.T) *store.Store {
	t.Helper()
	endpoint := os.Getenv(endpointVariable)
	if endpoint == "" {
		t.Skip(endpointVariable + " names no server")
	}
	c := config(t, endpoint)
	c.Bucket = fmt.Sprintf("firedrill-%d", time.Now().UnixNano())
	c.Wait = func(ctx context.Context, d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.Timeout = time.Minute // 50 writers at once queue up in a server that is one Python process
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint), UsePathStyle: true, HTTPClient: &http.Client{Transport: c.Transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secret}, nil
		}),
	})
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &c.Bucket})
	must(t, err)
	c.Region = "us-east-1"
	var n atomic.Int64
	return func(t *testing.T) *store.Store {
		t.Helper()
		own := c
		own.Prefix = fmt.Sprintf("root-%d", n.Add(1))
		return open(t, own)
	}
}

func TestServer_Store(t *testing.T) {
	next := served(t)
	storetest.Run(t, func(t *testing.T) journal.Store { return watched(t, next(t)) })
}

func TestServer_50AppendersOfOneDrill(t *testing.T) {
	appenders(t, watched(t, served(t)(t)), 50)
}

// witness counts who was told that they created a key. Two that were prove that the server breaks its condition: what else fails in a test where
// that happened is no fault of ours.
type witness struct {
	journal.Store
	mu      sync.Mutex
	created map[string]int
	deleted map[string]bool // may be created again
}

func watched(t *testing.T, s journal.Store) *witness {
	w := &witness{Store: s, created: map[string]int{}, deleted: map[string]bool{}}
	t.Cleanup(func() {
		for key, n := range w.created {
			if n > 1 && !w.deleted[key] {
				t.Logf("%d were told that they created %s: the server breaks its condition", n, key)
			}
		}
	})
	return w
}

// Create implements journal.Store.
func (w *witness) Create(ctx context.Context, key string, data []byte) error {
	err := w.Store.Create(ctx, key, data)
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.created[key]++
	}
	return err
}

// Delete implements journal.Store.
func (w *witness) Delete(ctx context.Context, key string) error {
	w.mu.Lock()
	w.deleted[key] = true
	w.mu.Unlock()
	return w.Store.Delete(ctx, key)
}

// TestServer_50CreatorsOfOneKey shows whether the server keeps its own promise: exactly one of those who create a key at
// once is told that it did, and the key holds what that one wrote.
func TestServer_50CreatorsOfOneKey(t *testing.T) {
	s := served(t)(t)
	for round := range 20 {
		key := fmt.Sprintf("drills/race/%04d", round)
		won := make([]bool, 50)
		var wg sync.WaitGroup
		begin := make(chan struct{})
		for i := range won {
			wg.Go(func() {
				<-begin
				err := s.Create(t.Context(), key, fmt.Appendf(nil, "writer %d", i))
				if err != nil && !errors.Is(err, journal.ErrExists) {
					t.Errorf("round %d, writer %d: %v", round, i, err)
				}
				won[i] = err == nil
			})
		}
		close(begin)
		wg.Wait()
		var winners []string
		for i, w := range won {
			if w {
				winners = append(winners, fmt.Sprintf("writer %d", i))
			}
		}
		data, err := s.Get(t.Context(), key)
		must(t, err)
		if len(winners) != 1 || winners[0] != string(data) {
			t.Errorf("round %d: %v were told that they created the key, which holds %q: the server breaks its condition", round, winners, data)
		}
	}
}

func TestServer_Presign(t *testing.T) {
	s := served(t)(t)
	must(t, s.Put(t.Context(), "objects/d1/report.html", []byte("<p>")))
	link, err := s.Presign(t.Context(), "objects/d1/report.html", time.Hour)
	must(t, err)
	for what, want := range map[string]int{link: http.StatusOK, strings.Replace(link, "report.html", "other.html", 1): http.StatusNotFound} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, what, nil)
		must(t, err)
		response, err := http.DefaultClient.Do(request)
		must(t, err)
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("reply is %s, want %d", response.Status, want)
		}
	}
}
