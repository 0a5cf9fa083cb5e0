package setup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/deadletter/sqs"
)

func (p *Setup) deadLetter() (DeadLetter, error) {
	if u := p.Settings.DeadLetter; u.Scheme != "dir" {
		d, err := sqs.Open(sqs.Options{Queue: u.String(), Region: p.Getenv("AWS_REGION"), Credentials: p.AWSCredentials, Transport: p.Transport, Now: p.Now})
		if err != nil {
			return nil, fmt.Errorf("FIREDRILL_DEADLETTER: %w", err)
		}
		return d, nil
	}
	path := filepath.FromSlash(p.Settings.DeadLetter.Path)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("FIREDRILL_DEADLETTER: %w", err)
	}
	return folder{path}, nil
}

// folder keeps payloads as files, for containers with a volume and for tests.
type folder struct{ path string }

// Send writes <hash>.payload and <hash>.reason. The same payload is the same file.
func (f folder) Send(_ context.Context, payload []byte, reason string) error {
	name := filepath.Join(f.path, events.ID("dead", string(payload)))
	if err := os.WriteFile(name+".reason", []byte(reason+"\n"), 0o600); err != nil {
		return err
	}
	return os.WriteFile(name+".payload", payload, 0o600)
}
