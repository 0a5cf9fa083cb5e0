// Package inbound turns what a platform delivers into events: a timer's tick, a service's state change, an alarm that fires
// or has resolved, and our own events wrapped by a cloud's bus.
//
// An event's id is derived from the occurrence, so that one that is delivered twice, or by two ways, is one event. Times become
// RFC 3339 whatever the source wrote. Every error wraps events.ErrInvalid and says what was seen: delivering the payload again
// cannot help. Of a payload with many items, those that can be read are returned together with the error about the rest.
//
// Nothing here checks who sent a payload: that is the host's part.
package inbound
