package engine

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestAnUnreadableDiskIsTold once, since a limit of its free space has no effect then.
func TestAnUnreadableDiskIsTold(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "none")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e, err := New(Options{DiskFreeLimit: 1, DiskFolder: folder, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * watchEvery)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(log.String(), "has no effect"); n != 1 || !strings.Contains(log.String(), folder) {
			t.Errorf("told %d times:\n%s", n, log.String())
		}
	})
}
