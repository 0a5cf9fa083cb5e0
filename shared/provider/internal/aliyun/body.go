package aliyun

import (
	"io"
	"strings"
)

// maxReply is the longest reply that is read, in bytes. The longest real ones, lists of 100 executions with their
// outputs, stay well under it.
const maxReply = 8 << 20

// bounded closes the body under the limit.
type bounded struct {
	io.Reader
	io.Closer
}

func readCloser(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }
