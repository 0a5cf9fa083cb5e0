// Package s3 keeps a journal in a bucket of Amazon S3, or of a server that honours If-None-Match: * on PutObject as S3 has
// done since 2024-08. S3 answers 412 when the key is there, and reads and lists are strongly consistent, so nothing else is
// needed: no lock, no table, no versioning. A versioned bucket works as well.
//
// Create is sent once: sent again it could answer "exists" to our own write. A lost reply is therefore an error that says
// nothing about the outcome, and package journal recognises its own write by reading it back. A 409 says that another write
// of the key was under way and that this one was not made: only then Create tries again, five attempts at most. Other calls
// are made three times at most. The SDK itself repeats nothing.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
package s3
