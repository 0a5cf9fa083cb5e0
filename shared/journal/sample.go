package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/firedrill/firedrill/shared/drill"
)

// samplePrefix begins the names of the objects that hold a drill's probe samples.
const samplePrefix = "samples/"

// PutSamples keeps the samples of one look, in one object of its own: an entry is written only when a claim flips.
func (j *Journal) PutSamples(ctx context.Context, id string, samples []drill.Sample) error {
	if len(samples) == 0 {
		return nil
	}
	data, err := encode(samples)
	if err != nil {
		return fmt.Errorf("encode samples of drill %s: %w", id, err)
	}
	return j.PutObject(ctx, id, fmt.Sprintf("%s%020d", samplePrefix, samples[0].At.UnixNano()), data)
}

// Samples returns every sample of a drill, in the order in which they were kept.
func (j *Journal) Samples(ctx context.Context, id string) ([]drill.Sample, error) {
	names, err := j.Objects(ctx, id)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, name := range names {
		if strings.HasPrefix(name, samplePrefix) {
			key, err := objectKey(id, name)
			if err != nil {
				return nil, err
			}
			keys = append(keys, key)
		}
	}
	var out []drill.Sample
	for i, r := range j.gets(ctx, keys) {
		if errors.Is(r.err, ErrNotFound) {
			continue
		}
		var some []drill.Sample
		if r.err == nil {
			r.err = json.Unmarshal(r.data, &some)
		}
		if r.err != nil {
			return nil, fmt.Errorf("read samples %s: %w", keys[i], r.err)
		}
		out = append(out, some...)
	}
	return out, nil
}
