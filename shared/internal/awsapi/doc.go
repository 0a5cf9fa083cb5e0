// Package awsapi is what the leaves that talk to AWS share: where a resource is, as a URL says it, and signed calls of EventBridge, S3, SQS
// and STS, of which no more than one to four operations each are used.
//
// Requests are signed with the SDK's own signer. The SDK's clients of these services are not linked: what they set up when a process
// starts (tables of endpoints and schemas), whether they are called or not, took up to three milliseconds of every cold start. Tests hold
// the requests and the addresses against those clients. Each operation is a method of its name that is never inlined, so that a binary's
// symbols tell what it can call: deploy's test of the roles reads them. FIS, of which much more is used, is called with its SDK client.
package awsapi
