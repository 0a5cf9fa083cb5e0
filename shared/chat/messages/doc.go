// Package messages turns facts into messages, in English and Chinese. There is one text per fact, all of them in two
// tables with the same keys. A message says what the fact and the journal's state at the fact's rev say, and never more.
//
// Every message shows its mode, SANDBOX or LIVE, first. Times are in the channel's zone, with their offset.
package messages
