package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// IndexItem is one drill in the index.
type IndexItem struct {
	Drill   string
	At      time.Time // to the minute
	Summary []byte    // as PutIndex took it
}

// PutIndex writes a drill's summary under a minute. Pages show drills by it, newest first; at must be the same for
// every write about one drill (the time it was asked for), else the drill is listed twice.
func (j *Journal) PutIndex(ctx context.Context, at time.Time, drill string, summary []byte) error {
	err := CheckID(drill)
	minute := at.Unix() / 60
	if err == nil && (at.Unix() < 0 || minute > maxInvert) {
		err = fmt.Errorf("time %s is out of range", at.Format(time.RFC3339))
	}
	if err == nil {
		err = j.store.Put(ctx, indexPrefix+invert(minute)+"/"+drill, summary)
	}
	if err != nil {
		return fmt.Errorf("write index of drill %s: %w", drill, err)
	}
	return nil
}

// Recent returns up to limit drills, newest first, and the token that fetches the page after them: "" when there are
// no more. An empty after begins with the newest.
func (j *Journal) Recent(ctx context.Context, limit int, after string) ([]IndexItem, string, error) {
	from := indexPrefix
	if after != "" {
		if _, err := parseIndex(after); err != nil {
			return nil, "", fmt.Errorf("read index: %w: %w", ErrPage, err)
		}
		from += after
	}
	limit = min(max(limit, 1), pageSize-1)
	keys, err := j.store.List(ctx, indexPrefix, from, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("read index: %w", err)
	}
	next := ""
	if len(keys) > limit {
		keys = keys[:limit]
		next = strings.TrimPrefix(keys[limit-1], indexPrefix)
	}
	var items []IndexItem
	for i, r := range j.gets(ctx, keys) {
		item, err := parseIndex(strings.TrimPrefix(keys[i], indexPrefix))
		if err != nil || errors.Is(r.err, ErrNotFound) {
			continue // not ours, or removed meanwhile
		}
		if r.err != nil {
			return nil, "", fmt.Errorf("read index of drill %s: %w", item.Drill, r.err)
		}
		item.Summary = r.data
		items = append(items, item)
	}
	return items, next, nil
}

// RecentIDs returns the ids of up to limit drills, at most 1000, newest first. It reads no summary.
func (j *Journal) RecentIDs(ctx context.Context, limit int) ([]string, error) {
	keys, err := j.store.List(ctx, indexPrefix, indexPrefix, min(max(limit, 1), pageSize))
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	var ids []string
	for _, key := range keys {
		if item, err := parseIndex(strings.TrimPrefix(key, indexPrefix)); err == nil { // what is not ours is left out
			ids = append(ids, item.Drill)
		}
	}
	return ids, nil
}

// parseIndex reads <inverted minute>/<drill>.
func parseIndex(key string) (IndexItem, error) {
	head, drill, _ := strings.Cut(key, "/")
	minute, ok := revert(head)
	if !ok {
		return IndexItem{}, fmt.Errorf("%.40q is not a place in the index", key)
	}
	return IndexItem{Drill: drill, At: time.Unix(minute*60, 0).UTC()}, CheckID(drill)
}
