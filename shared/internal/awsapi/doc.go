// Package awsapi is what the leaves that talk to AWS share: where a resource is, as a URL says it, and single signed calls of a service's
// JSON or query protocol.
//
// EventBridge, SQS and STS are called with it, one or two operations each, signed with the SDK's own signer. Their SDK clients are not
// linked: what they set up when a process starts (tables of endpoints and schemas) took every cold start about two milliseconds, whether
// they were called or not. FIS and S3, of which much more is used, are called with their SDK clients.
package awsapi
