// Package eventbridge publishes events on a bus of Amazon EventBridge with PutEvents.
//
// An event travels whole: the entry's detail is the structured CloudEvent, its detail-type is the event's type and its source
// is always Source, so that rules and policies can match on both. inbound.AWS takes the event out again.
//
// A call carries at most 10 entries and at most 256 KiB. A reply of 200 may still refuse entries: each is looked at on its own,
// those that may do better are sent again after a pause, and what is not out in the end is named in an *UnsentError. An event
// may arrive twice, always with the same id: its consumers know that.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
package eventbridge
