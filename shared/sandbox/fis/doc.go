// Package fis is a sandboxed AWS Fault Injection Service: SigV4, restJson1 and the life cycle of experiments on the
// clock of service.Env, as the FIS API reference and user guide describe them.
//
// What it serves: StartExperiment, StopExperiment, GetExperiment, ListExperiments, ListExperimentResolvedTargets;
// Create, Get, List and DeleteExperimentTemplate; GetSafetyLever, UpdateSafetyLeverState; TagResource, UntagResource,
// ListTagsForResource; GetAction, ListActions; and GetCallerIdentity of AWS STS, because a client of FIS asks it whose
// credentials it holds. Any other path answers UnknownOperationException.
//
// An experiment goes pending -> initiating -> running -> completed. Its actions start when those they come after have
// completed, hold for their duration, and are then rolled back, which takes some seconds; a stop takes the same
// seconds before `stopping` becomes `stopped`. Each change of status is pushed as an EventBridge event, save
// `cancelled`, which AWS does not list.
//
// The shipped templates: EXTa1b2c3d4e5f6g7 (an availability zone goes away: two faults in sequence beside a third, a
// minute in all), EXTwait00000000001 (waits ten seconds), EXTalarm0000000001 (stopped by the alarm checkout-5xx),
// EXTfail00000000001 (one action fails while another's fault is on), EXTempty0000000001 and EXTskip00000000001 (a target
// finds nothing, which fails the one and skips an action of the other), EXTreport000000001 (with a report in S3) and
// EXTlong00000000001 (a quarter of an hour).
//
// Three things differ from AWS on purpose. Shipped templates have durations below one minute, which FIS would refuse,
// so that a drill is over soon. One store serves all regions; ARNs carry the region that the caller signed for. Where
// AWS documents no answer the sandbox takes the one that is harder for a client: StopExperiment on an ended experiment
// is a ValidationException, and an experiment started while the safety lever is engaged is accepted and then cancelled.
package fis
