package awsapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	region    = "eu-west-1"
	accessKey = "AKIDEXAMPLE"
	secret    = "wJalrXUtnFEMI-this-never-shows"
	token     = "FwoGZXIvYXdz-nor-does-this"
)

func fixed(context.Context) (Credentials, error) {
	return Credentials{AccessKey: accessKey, Secret: secret, Token: token}, nil
}

// wired is one request as it came over the wire.
type wired struct {
	method, path string // as escaped
	query        url.Values
	header       http.Header
	body         string
}

// strict is a server that checks signatures as S3 documents them, and keeps what it was sent.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
func strict(t *testing.T) (address string, got *[]wired) {
	t.Helper()
	got = new([]wired)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		path, rawQuery, _ := strings.Cut(r.RequestURI, "?")
		query, err := url.ParseQuery(rawQuery)
		if err != nil {
			t.Error(err)
		}
		one := wired{r.Method, path, query, r.Header, string(body)}
		if want, signature := one.signature(r.Host); want != signature || want == "" {
			t.Errorf("%s %s: signature is %q, want %q", r.Method, r.RequestURI, signature, want)
		}
		*got = append(*got, one)
		if r.Method == http.MethodGet && query.Has("list-type") {
			_, _ = io.WriteString(w, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

// signature computes the signature of a request, and returns what it carries.
func (o wired) signature(host string) (want, carried string) {
	query := url.Values{}
	for name, values := range o.query {
		query[name] = values
	}
	var scope, signed, at, payload string
	if auth := o.header.Get("Authorization"); auth != "" {
		parts := strings.Split(strings.TrimPrefix(auth, "AWS4-HMAC-SHA256 "), ", ")
		scope, signed, carried = strings.TrimPrefix(parts[0], "Credential="), strings.TrimPrefix(parts[1], "SignedHeaders="), strings.TrimPrefix(parts[2], "Signature=")
		at, payload = o.header.Get("X-Amz-Date"), o.header.Get("X-Amz-Content-Sha256")
	} else {
		scope, signed, at, carried = query.Get("X-Amz-Credential"), query.Get("X-Amz-SignedHeaders"), query.Get("X-Amz-Date"), query.Get("X-Amz-Signature")
		payload = "UNSIGNED-PAYLOAD"
		query.Del("X-Amz-Signature")
	}
	_, scope, _ = strings.Cut(scope, "/")
	var headers strings.Builder
	for name := range strings.SplitSeq(signed, ";") {
		value := o.header.Get(name)
		switch name {
		case "host":
			value = host
		case "content-length":
			value = fmt.Sprint(len(o.body))
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, strings.TrimSpace(value))
	}
	canonical := strings.Join([]string{o.method, o.path, strings.ReplaceAll(query.Encode(), "+", "%20"), headers.String(), signed, payload}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+at+"\n"+scope+"\n"+hex.EncodeToString(sum[:]))), carried
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// TestBucket_AsTheSDKSends makes each call with the SDK's client and with ours, against a server that checks what they sign: it must take
// both, and see the same of both.
func TestBucket_AsTheSDKSends(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, key := range []string{"drills/d1/9999999998", "objects/d1/%E6%BC%94 +~!*'()&=?#;:@,$[].html", "演练/„“\t"} {
		address, got := strict(t)
		ours, err := NewBucket(Options{Region: region, Endpoint: address, Credentials: fixed}, "drills", true)
		must(t, err)
		theirs := sdk.New(sdk.Options{Region: region, BaseEndpoint: &address, Credentials: Source(fixed), UsePathStyle: true,
			RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired})
		bucket := aws.String("drills")
		_, err = theirs.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader("演练"), IfNoneMatch: aws.String("*"), ContentType: aws.String("a/b")})
		must(t, err)
		must(t, ours.PutObject(t.Context(), key, "a/b", "*", []byte("演练")))
		_, err = theirs.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: bucket, Key: &key})
		must(t, err)
		_, err = ours.GetObject(t.Context(), key)
		must(t, err)
		_, err = theirs.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: bucket, Key: &key})
		must(t, err)
		must(t, ours.DeleteObject(t.Context(), key))
		_, err = theirs.ListObjectsV2(t.Context(), &sdk.ListObjectsV2Input{Bucket: bucket, Prefix: &key, StartAfter: aws.String(key + "0"), MaxKeys: aws.Int32(7)})
		must(t, err)
		_, err = ours.ListObjectsV2(t.Context(), key, key+"0", "", 7)
		must(t, err)
		for i := 0; i < len(*got); i += 2 {
			same(t, (*got)[i], (*got)[i+1])
		}
		if len(*got) != 8 {
			t.Fatalf("%d calls", len(*got))
		}
		link, err := ours.Presign(t.Context(), key, time.Hour)
		must(t, err)
		response, err := http.Get(link)
		must(t, err)
		must(t, response.Body.Close())
	}
}

// same wants what matters to S3 to be equal.
func same(t *testing.T, theirs, ours wired) {
	t.Helper()
	theirs.query.Del("x-id") // tells nothing to S3
	if theirs.method != ours.method || strings.TrimSuffix(theirs.path, "/") != strings.TrimSuffix(ours.path, "/") || theirs.query.Encode() != ours.query.Encode() || theirs.body != ours.body {
		t.Errorf("sent %s %s?%s, the SDK sends %s %s?%s", ours.method, ours.path, ours.query.Encode(), theirs.method, theirs.path, theirs.query.Encode())
	}
	for _, name := range []string{"If-None-Match", "Content-Type", "Content-Length", "X-Amz-Content-Sha256", "X-Amz-Security-Token"} {
		if !slices.Equal(theirs.header[name], ours.header[name]) {
			t.Errorf("%s is %q, the SDK's is %q", name, ours.header[name], theirs.header[name])
		}
	}
}

func TestBucket_Addresses(t *testing.T) {
	for _, c := range []struct {
		region, endpoint, bucket string
		pathStyle                bool
		want                     string
	}{
		{"eu-west-1", "", "drills", false, "https://drills.s3.eu-west-1.amazonaws.com/k"},
		{"cn-north-1", "", "drills", false, "https://drills.s3.cn-north-1.amazonaws.com.cn/k"},
		{"us-gov-west-1", "", "drills", false, "https://drills.s3.us-gov-west-1.amazonaws.com/k"},
		{"eu-west-1", "", "drills.example", false, "https://s3.eu-west-1.amazonaws.com/drills.example/k"},
		{"eu-west-1", "https://minio.example.com/s3/", "drills", true, "https://minio.example.com/s3/drills/k"},
		{"eu-west-1", "http://minio:9000", "drills", false, "http://drills.minio:9000/k"},
	} {
		b, err := NewBucket(Options{Region: c.region, Endpoint: c.endpoint, Credentials: fixed}, c.bucket, c.pathStyle)
		must(t, err)
		if got := b.url("k", nil).String(); got != c.want {
			t.Errorf("the address is %s, want %s", got, c.want)
		}
		if c.endpoint != "" {
			continue
		}
		o := sdk.Options{Region: c.region, Credentials: Source(fixed)}
		theirs, err := sdk.NewPresignClient(sdk.New(o)).PresignGetObject(t.Context(), &sdk.GetObjectInput{Bucket: &c.bucket, Key: aws.String("k")})
		must(t, err)
		if address, _, _ := strings.Cut(theirs.URL, "?"); address != c.want {
			t.Errorf("the SDK's address is %s, want %s", address, c.want)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
