package terminal

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"harelab/reports/stat"
)

// textWidth is the number of columns that sentences fill.
const textWidth = 96

// WriteOverloads says what the capacity of a run's workers cannot serve, in lines that
// begin with indent; nothing if there is no overload.
func WriteOverloads(w io.Writer, overloads []string, indent string) error {
	for _, o := range overloads {
		if _, err := io.WriteString(w, wrapped("OVERLOADED: "+o, indent)); err != nil {
			return err
		}
	}
	return nil
}

func writeCapacity(w io.Writer, s *stat.Summary) error {
	return WriteOverloads(w, stat.Overloads(s.Capacity), "  ")
}

// wrapped breaks a text into lines between words. Numbers stay with their units.
func wrapped(text, indent string) string {
	var out, line strings.Builder
	width := 0
	for i, word := range words(text) {
		n := utf8.RuneCountInString(word)
		if i > 0 && width+1+n > textWidth {
			fmt.Fprintln(&out, indent+line.String())
			line.Reset()
			width = 0
		}
		if width > 0 {
			line.WriteByte(' ')
			width++
		}
		line.WriteString(word)
		width += n
	}
	fmt.Fprintln(&out, indent+line.String())
	return out.String()
}

// words splits a text at spaces, but not after a number: its unit belongs to it.
func words(text string) []string {
	var out []string
	for _, f := range strings.Fields(text) {
		if n := len(out); n > 0 && len(f) <= 3 && strings.IndexAny(out[n-1][len(out[n-1])-1:], "0123456789") == 0 {
			out[n-1] += " " + f
			continue
		}
		out = append(out, f)
	}
	return out
}
