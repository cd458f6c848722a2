package stat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// List joins words for a sentence: with commas, and with "and" or "or" before the
// last.
func List(words []string, and string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " " + and + " " + words[n-1]
	}
	return strings.Join(words, "")
}

// Upper makes the first letter of s a capital.
func Upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}
