package folder

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"harelab/reports/internal/specimen"
)

func TestMessagesMayBeginWithAByteOrderMark(t *testing.T) {
	var csv bytes.Buffer
	r := specimen.CeleryOptimized("", 4, 1, false)
	if err := WriteMessages(&csv, r); err != nil {
		t.Fatal(err)
	}
	plain, err := ReadMessages(strings.NewReader(csv.String()))
	if err != nil {
		t.Fatal(err)
	}
	marked, err := ReadMessages(strings.NewReader("\xef\xbb\xbf" + csv.String()))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(plain.Messages, marked.Messages) {
		t.Error("the byte order mark changes the messages")
	}
}
