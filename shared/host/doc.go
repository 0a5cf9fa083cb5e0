// Package host runs one function on whatever runtime started its process: Run looks for the variable that the runtime must
// have set, reads the environment, and hands what comes in to the function.
//
//	runtime       variable                 what comes in
//	AWS Lambda    AWS_LAMBDA_RUNTIME_API   the payloads that package inbound reads, batches of SQS, function URLs, API Gateway v2
//	HTTP server   PORT, FIREDRILL_ADDR     CloudEvents on POST /, the function's own HTTP side, GET /healthz
//
// # What is delivered again, and what is not
//
// An error of the function means "deliver it again". A payload, or an event, that no retry can mend is refused: it is logged with
// the reason, never handed to the platform as a failure, and kept for a person, byte for byte.
//
//   - Lambda, any payload but a batch: the refused payload is sent to FIREDRILL_DEADLETTER, and the invocation succeeds. Only if
//     that sending fails does the invocation fail; Lambda then tries again twice, and its own on-failure destination is the
//     last resort. What can be read of a payload with many items is handled first.
//   - Lambda, a batch of SQS: the refused record is named in batchItemFailures, together with those whose handling failed, and
//     nothing else of the batch. The queue delivers it again as often as its redrive policy says and then moves the message itself to
//     its own dead-letter queue: cheap, and no copy is needed. The event source needs ReportBatchItemFailures.
//   - HTTP: the answer is 4xx, which a broker does not send again and puts on its dead-letter sink. An event of a known type
//     that the function does not handle is taken and passed over, for not every broker filters.
//
// A request over HTTP that cannot be read is answered with 400, or 413 where it is too large, on both: its sender has it still.
//
// # Time
//
// The function's deadline is a little before the platform's: a tenth of what is left, at most one second, is kept for publishing and the
// reply. When the process is told to end (SIGTERM), running functions see their context end, and what they leave undone is
// found again by the next tick; nothing is buffered between two events, so there is nothing else to save. On Lambda the process
// registers no extension to be told at all: that would cost every start a round trip.
package host
