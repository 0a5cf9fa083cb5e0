// Package slack is the sandbox's Slack: one workspace with one app in it, written from Slack's own pages (https://docs.slack.dev).
//
// It checks what Slack checks of a call (token, channel, sizes of blocks and texts, rates) and answers with Slack's codes; it signs and
// sends what people type and press as Slack does. Where Slack's pages are silent, this is what it plays:
//   - Short bursts above a message a second are taken: three messages in a channel, two edits of a message.
//   - The total of all blocks is counted in characters of their JSON, and 13,200 are too many.
//   - A reply into a thread that is not there is thread_not_found.
//   - A reply URL that was used five times, or is older than 30 minutes, answers 404 with used_url or expired_url.
//   - The three seconds in which an app must answer are not measured: the sandbox's clock may run fast.
package slack
