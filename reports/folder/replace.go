package folder

import "os"

// Replace writes a page to path, where an older one may be. A reader, and whoever comes
// after a process that ended in between, finds the old page or the new one, whole. What
// such a process may leave behind, path with the ending .tmp, the next call overwrites.
func Replace(path string, page []byte) error {
	next := path + ".tmp"
	if err := os.WriteFile(next, page, 0o666); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		os.Remove(next)
		return err
	}
	return nil
}
