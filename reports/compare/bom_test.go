package compare

import (
	"slices"
	"strings"
	"testing"
)

// TestBenchFilesMayBeginWithAByteOrderMark wants the first line of such a file to count:
// a unit whose mark was taken for a part of it had no direction.
func TestBenchFilesMayBeginWithAByteOrderMark(t *testing.T) {
	const file = "Unit widgets better=higher\nBenchmarkA 1 2 widgets\n"
	plain, err := ReadBench("a", strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	marked, err := ReadBench("a", strings.NewReader("\xef\xbb\xbf"+file))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(plain.Keys, marked.Keys) {
		t.Errorf("with a byte order mark %+v\nwithout %+v", marked.Keys, plain.Keys)
	}
	if _, err := ReadBench("a.txt", strings.NewReader("\xff\xfeU\x00")); err == nil || err.Error() != "a.txt: the text is in UTF-16: save it as UTF-8" {
		t.Errorf("UTF-16: error %v", err)
	}
}
