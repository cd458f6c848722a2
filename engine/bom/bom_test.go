package bom

import (
	"io"
	"strings"
	"testing"
)

func TestMarks(t *testing.T) {
	for _, c := range []struct{ name, in, out, err string }{
		{"no mark", "at,class\n", "at,class\n", ""},
		{"empty text", "", "", ""},
		{"UTF-8", "\xef\xbb\xbfat,class\n", "at,class\n", ""},
		{"UTF-8, nothing after the mark", "\xef\xbb\xbf", "", ""},
		{"half a mark is a text", "\xef\xbb", "\xef\xbb", ""},
		{"only the first of two marks", "\xef\xbb\xbf\xef\xbb\xbfa", "\xef\xbb\xbfa", ""},
		{"UTF-16, little endian", "\xff\xfea\x00t\x00", "", "the text is in UTF-16: save it as UTF-8"},
		{"UTF-16, big endian", "\xfe\xff\x00a\x00t", "", "the text is in UTF-16: save it as UTF-8"},
		{"UTF-16 without a mark", "a\x00t\x00", "", "the text is in UTF-16: save it as UTF-8"},
		{"UTF-32, little endian", "\xff\xfe\x00\x00a\x00\x00\x00", "", "the text is in UTF-32: save it as UTF-8"},
		{"UTF-32, big endian", "\x00\x00\xfe\xff\x00\x00\x00a", "", "the text is in UTF-32: save it as UTF-8"},
		{"zeros are not UTF-16", "\x00\x00\x00\x00", "\x00\x00\x00\x00", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := Cut([]byte(c.in))
			check(t, "Cut", string(out), err, c.out, c.err)
			r, err := Reader(strings.NewReader(c.in))
			if err == nil {
				out, err = io.ReadAll(r)
			} else {
				out = nil
			}
			check(t, "Reader", string(out), err, c.out, c.err)
		})
	}
}

func check(t *testing.T, what, got string, err error, want, wantErr string) {
	t.Helper()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if got != want || text != wantErr {
		t.Errorf("%s: %q, error %q; want %q, error %q", what, got, text, want, wantErr)
	}
}
