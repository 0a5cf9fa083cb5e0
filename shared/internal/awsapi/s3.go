package awsapi

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	s3        = "s3"
	maxObject = 64 << 20 // bytes of an object or a list that are read
)

// Bucket makes calls about one bucket of S3. It is safe for concurrent use and needs no closing.
type Bucket struct {
	client *Client
	base   url.URL // without a slash at the end
}

// NewBucket returns a bucket; it makes no call. In pathStyle the bucket stands in the path, not in the host name; so it does where its
// name has a dot, which no certificate covers.
func NewBucket(o Options, name string, pathStyle bool) (*Bucket, error) {
	o.Service = s3
	c := New(o)
	u, err := url.Parse(strings.TrimSuffix(c.o.Endpoint, "/"))
	if err != nil {
		return nil, err
	}
	b := &Bucket{client: c, base: url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}}
	if pathStyle || u.Scheme == "https" && strings.Contains(name, ".") {
		b.base.Path += "/" + name
	} else {
		b.base.Host = name + "." + u.Host
	}
	return b, nil
}

// url is the address of a key, "" for that of the bucket.
func (b *Bucket) url(key string, query url.Values) *url.URL {
	u := b.base
	u.Path += "/" + key
	u.RawPath = escape(u.Path)
	u.RawQuery = query.Encode()
	return &u
}

// escape writes a path as S3 signs it: every byte but letters, digits, -._~ and slashes.
func escape(path string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/"
	const hexes = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(path) {
		if c := path[i]; strings.IndexByte(plain, c) >= 0 {
			out.WriteByte(c)
		} else {
			out.Write([]byte{'%', hexes[c>>4], hexes[c&15]})
		}
	}
	return out.String()
}

// do makes one call and returns the body of its answer. An answer that is none of success is an *Error.
func (b *Bucket) do(ctx context.Context, method, key string, query url.Values, header http.Header, body []byte) ([]byte, error) {
	reply, err := b.client.send(ctx, method, b.url(key, query), header, body, maxObject)
	if err != nil {
		return nil, err
	}
	if reply.status/100 == 2 {
		return reply.body, nil
	}
	no := &Error{Status: reply.status, Region: reply.header.Get("X-Amz-Bucket-Region")}
	var said struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
	}
	if xml.Unmarshal(reply.body, &said) == nil { // else the status says enough
		no.Code, no.Message = said.Code, said.Message
	}
	return nil, no
}

// PutObject writes an object. ifNoneMatch "*" writes it only where there is none.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
//
//go:noinline
func (b *Bucket) PutObject(ctx context.Context, key, contentType, ifNoneMatch string, data []byte) error {
	header := http.Header{"Content-Type": {contentType}}
	if ifNoneMatch != "" {
		header.Set("If-None-Match", ifNoneMatch)
	}
	_, err := b.do(ctx, http.MethodPut, key, nil, header, data)
	return err
}

// GetObject reads an object.
//
//go:noinline
func (b *Bucket) GetObject(ctx context.Context, key string) ([]byte, error) {
	return b.do(ctx, http.MethodGet, key, nil, nil, nil)
}

// DeleteObject deletes an object; it is no error that there is none.
//
//go:noinline
func (b *Bucket) DeleteObject(ctx context.Context, key string) error {
	_, err := b.do(ctx, http.MethodDelete, key, nil, nil, nil)
	return err
}

// Page is a part of a list.
type Page struct {
	Contents []struct{ Key string }
	More     bool   `xml:"IsTruncated"`
	Next     string `xml:"NextContinuationToken"`
}

// ListObjectsV2 reads at most size keys that begin with prefix: those of the page that next is the token of, or the first after a key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
//
//go:noinline
func (b *Bucket) ListObjectsV2(ctx context.Context, prefix, after, next string, size int) (Page, error) {
	query := url.Values{"list-type": {"2"}, "prefix": {prefix}, "max-keys": {strconv.Itoa(size)}}
	if next != "" {
		query.Set("continuation-token", next)
	} else if after != "" {
		query.Set("start-after", after)
	}
	var page Page
	data, err := b.do(ctx, http.MethodGet, "", query, nil, nil)
	if err == nil {
		err = xml.Unmarshal(data, &page)
	}
	return page, err
}

// Presign returns a link with which anybody can read an object for ttl, in whole seconds. It makes no call.
//
//go:noinline
func (b *Bucket) Presign(ctx context.Context, key string, ttl time.Duration) (string, error) {
	who, err := b.client.o.Credentials.Retrieve(ctx)
	if err != nil {
		return "", err
	}
	u := b.url(key, url.Values{"X-Amz-Expires": {strconv.Itoa(int(ttl / time.Second))}})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "", nil)
	if err != nil {
		return "", err
	}
	request.URL, request.Host = u, u.Host
	link, _, err := b.client.signer.PresignHTTP(ctx, who, request, "UNSIGNED-PAYLOAD", s3, b.client.o.Region, b.client.o.Now(), b.client.signing)
	return link, err
}
