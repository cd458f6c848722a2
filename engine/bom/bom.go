// Package bom handles the byte order marks that editors and spreadsheets put before a
// text (The Unicode Standard, version 15, section 23.8). Every text that harelab reads
// may begin with that of UTF-8. A text in UTF-16 or UTF-32 is refused with a sentence
// that says so, since read as UTF-8 it would give a puzzling mistake.
package bom

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// utf8 is the byte order mark of UTF-8.
var utf8 = []byte{0xef, 0xbb, 0xbf}

// others are the marks of encodings that are refused. UTF-32's come first: the mark of
// UTF-16, little endian, is the beginning of one.
var others = []struct {
	mark []byte
	name string
}{
	{[]byte{0xff, 0xfe, 0, 0}, "UTF-32"},
	{[]byte{0, 0, 0xfe, 0xff}, "UTF-32"},
	{[]byte{0xff, 0xfe}, "UTF-16"},
	{[]byte{0xfe, 0xff}, "UTF-16"},
}

// longest is the number of bytes that tell the encoding.
const longest = 4

// Cut returns a text without the byte order mark of UTF-8. It returns an error if the
// text is in another encoding: it begins with the mark of one, or with Latin letters in
// UTF-16 without a mark.
func Cut(text []byte) ([]byte, error) {
	for _, o := range others {
		if bytes.HasPrefix(text, o.mark) {
			return nil, refusal(o.name)
		}
	}
	if len(text) >= longest {
		low, high := text[0] == 0 && text[2] == 0, text[1] == 0 && text[3] == 0
		if low != high {
			return nil, refusal("UTF-16")
		}
	}
	return bytes.TrimPrefix(text, utf8), nil
}

func refusal(encoding string) error {
	return fmt.Errorf("the text is in %s: save it as UTF-8", encoding)
}

// Reader returns a reader of what Cut would leave of a text. It reads the first bytes
// of r.
func Reader(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	first, err := b.Peek(longest)
	if err != nil && err != io.EOF {
		return nil, err
	}
	rest, err := Cut(first)
	if err != nil {
		return nil, err
	}
	_, err = b.Discard(len(first) - len(rest))
	return b, err
}
