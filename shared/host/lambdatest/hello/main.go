// Command hello is the least that a Go function can be, to measure ours against: it answers {}. HELLO_ROOTS says whether it also loads the
// roots that TLS trusts: wait, go, or not at all.
package main

import (
	"context"
	"crypto/x509"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

type hello struct{}

// Invoke answers.
func (hello) Invoke(context.Context, []byte) ([]byte, error) { return []byte("{}"), nil }

func main() {
	switch os.Getenv("HELLO_ROOTS") {
	case "wait":
		_, _ = x509.SystemCertPool()
	case "go":
		go func() { _, _ = x509.SystemCertPool() }()
	}
	lambda.Start(hello{})
}
