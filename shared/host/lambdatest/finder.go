package lambdatest

import "bytes"

// finder looks for a text in a stream that is too large to keep.
type finder struct {
	what  []byte
	tail  []byte
	found bool
}

// Write looks at the next part.
func (f *finder) Write(p []byte) (int, error) {
	f.tail = append(f.tail, p...)
	f.found = f.found || bytes.Contains(f.tail, f.what)
	if n := len(f.tail); n > 4096 {
		f.tail = append(f.tail[:0], f.tail[n-4096:]...)
	}
	return len(p), nil
}

// last returns the end of the stream.
func (f *finder) last() string { return string(f.tail) }
