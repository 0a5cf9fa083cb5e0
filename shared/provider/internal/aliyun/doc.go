// Package aliyun makes one call at a time to an Alibaba Cloud RPC product with the vendor's SDK, made safe for our use.
//
// The SDK (alibaba-cloud-sdk-go V1) knows no context, is not safe for concurrent use, speaks HTTP by default, prints
// signed URLs in its errors, panics on an error reply whose Code is a number, and refuses a good reply when a field is
// an object where it expects a string. Client therefore makes a fresh SDK client for every call, carries the context
// and the shared transport through a RoundTripper, sets the domain itself so that the SDK's package-level endpoint
// maps are never touched, and decodes replies on its own with the forgiving types of package lenient.
//
// An action that may change something is called with Write, any other with Read. The difference matters in Classify
// alone: an unclear outcome of a write is Uncertain, of a read only Unavailable.
//
// The SDK prints whole requests when the environment has DEBUG=sdk; nothing here can switch that off.
package aliyun
