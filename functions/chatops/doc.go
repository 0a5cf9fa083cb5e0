// Package chatops takes commands from chat over HTTP: it verifies who sent the request, reads the command, and puts it on the bus as
// an event. It answers at once; what comes of the command is told by notify.
//
// In: HTTP. Out: command.*.
//
// A stop and a halt are appended to the journal and published at the same time, so that neither a journal nor a bus that does not answer
// loses them; an approval is appended first, because what the journal declines is not published. Ids of commands are derived from
// the request's own id: the same request, sent again, is the same command.
package chatops
