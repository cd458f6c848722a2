package folder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReplaceIsAllOrNothing: readers of a page that is written again never see a part of
// it, a page that cannot be written leaves the old one, and nothing else is left over.
func TestReplaceIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	pages := [2]string{strings.Repeat("old", 1<<20), strings.Repeat("new", 1<<20)}
	if err := Replace(path, []byte(pages[0])); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		var err error
		for i := 1; i <= 20 && err == nil; i++ {
			err = Replace(path, []byte(pages[i%2]))
		}
		done <- err
	}()
	for reading := true; reading; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			reading = false
		default:
		}
		b, err := os.ReadFile(path)
		if err != nil || string(b) != pages[0] && string(b) != pages[1] {
			t.Fatalf("%d of %d bytes, %v", len(b), len(pages[0]), err)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	if err := os.Mkdir(path+".tmp", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, []byte("x")); err == nil {
		t.Error("no error")
	}
	if b, _ := os.ReadFile(path); string(b) != pages[0] {
		t.Errorf("the old page became one of %d bytes", len(b))
	}
}
