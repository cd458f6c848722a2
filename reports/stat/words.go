package stat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// List joins words as a sentence does, with "and" or "or" before the last.
func List(words []string, and string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " " + and + " " + words[n-1]
	}
	return strings.Join(words, "")
}

// Upper begins s as a sentence does.
func Upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}
