package journal

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ReportPage is the object that holds the page of a concluded drill.
const ReportPage = "report.html"

// PutObject writes a blob that belongs to a drill: probe samples, a report. Writing it again replaces it.
func (j *Journal) PutObject(ctx context.Context, drill, name string, data []byte) error {
	key, err := objectKey(drill, name)
	if err == nil {
		err = j.store.Put(ctx, key, data)
	}
	if err != nil {
		return fmt.Errorf("write object %s of drill %s: %w", name, drill, err)
	}
	return nil
}

// Object returns a blob of a drill, or ErrNotFound.
func (j *Journal) Object(ctx context.Context, drill, name string) ([]byte, error) {
	key, err := objectKey(drill, name)
	if err != nil {
		return nil, fmt.Errorf("read object %s of drill %s: %w", name, drill, err)
	}
	data, err := j.store.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read object %s of drill %s: %w", name, drill, err)
	}
	return data, nil
}

// Objects returns the names of a drill's blobs, sorted.
func (j *Journal) Objects(ctx context.Context, drill string) ([]string, error) {
	if err := CheckID(drill); err != nil {
		return nil, fmt.Errorf("list objects: %w", err)
	}
	prefix := objectPrefix + drill + "/"
	keys, err := j.keys(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("list objects of drill %s: %w", drill, err)
	}
	var names []string
	for _, key := range keys {
		if name, err := unescape(strings.TrimPrefix(key, prefix)); err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func objectKey(drill, name string) (string, error) {
	if err := CheckID(drill); err != nil {
		return "", err
	}
	segment, err := escape("object name", name)
	return objectPrefix + drill + "/" + segment, err
}
