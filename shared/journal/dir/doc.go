// Package dir is a journal store in a local directory. A key is a file; a new one is written to a temporary file,
// synced, and then linked to its name with link(2), which fails when the name is taken: so any number of processes
// share a directory without a lock, and a process that is killed leaves either the whole key or none.
//
// Every name is made durable by syncing the directory that holds it. Temporary files live in ".tmp" under the root,
// in the same file system.
package dir
