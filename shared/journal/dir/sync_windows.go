package dir

// syncDir does nothing: Windows cannot sync a directory, and NTFS writes names through its own log. A name may be lost
// in a power failure there; it cannot be lost to a killed process.
func syncDir(string) error { return nil }
