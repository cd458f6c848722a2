package terminal

import (
	"io"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Columns is the width of lines that go to no terminal.
const Columns = 100

// leastColumns is the least width for which text is laid out.
const leastColumns = 40

// A Style says how wide lines are, and whether words that carry a verdict have a colour.
type Style struct {
	Columns int // 0: [Columns]
	Color   bool
}

// A Styler is a writer that knows the style of what is written to it. Any other writer
// gets lines of [Columns] without colour.
type Styler interface {
	io.Writer
	Style() Style
}

// styleOf returns the style of text for w.
func styleOf(w io.Writer) Style {
	st := Style{}
	if s, ok := w.(Styler); ok {
		st = s.Style()
	}
	if st.Columns == 0 {
		st.Columns = Columns
	}
	st.Columns = max(st.Columns, leastColumns)
	return st
}

// ColumnsOf returns the width of text for w.
func ColumnsOf(w io.Writer) int { return styleOf(w).Columns }

// A Tone is what a colour means.
type Tone uint8

// The tones.
const (
	Neutral Tone = iota
	Good         // better
	Bad          // worse, not met, invalid
	Doubt        // not certain: inconclusive, partial, a note
)

// paint gives text the colour of its tone. It is for text whose width has been reckoned.
func (s Style) paint(tone Tone, text string) string {
	code := map[Tone]string{Good: "32", Bad: "31", Doubt: "33"}[tone]
	if !s.Color || code == "" || strings.TrimSpace(text) == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Width returns the number of columns that text takes on a terminal.
func Width(text string) int {
	n := 0
	for _, r := range text {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case kind == width.EastAsianWide, kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// shorten returns text in at most n columns, with an ellipsis in place of its middle.
func shorten(text string, n int) string {
	if Width(text) <= n {
		return text
	}
	r := []rune(text)
	head, tail := len(r)/2, len(r)/2
	for head+len(r)-tail > 0 {
		if cut := string(r[:head]) + "…" + string(r[tail:]); Width(cut) <= n {
			return cut
		}
		if head >= len(r)-tail {
			head--
		} else {
			tail++
		}
	}
	return "…"
}

// quantity matches a number and its unit, which stay on one line.
var quantity = regexp.MustCompile(`(\d) (s|ms|µs|%)`)

// Fold breaks text into lines of at most n columns, at spaces.
func Fold(text string, n int) []string { return fold(text, 0, n) }

// fold breaks text into lines of at most n columns, at spaces. The first line has the room
// that begin leaves, since something else begins it. A word that is longer than a line has
// one of its own: a path or a command must stay whole.
func fold(text string, begin, n int) []string {
	var lines []string
	line, at := "", begin
	for word := range strings.FieldsSeq(quantity.ReplaceAllString(text, "$1\x00$2")) {
		word = strings.ReplaceAll(word, "\x00", " ")
		gap := min(len(line), 1)
		if w := Width(word); at+gap+w > n && (line != "" || begin > 0 && len(lines) == 0) {
			lines, line, at = append(lines, line), word, w
		} else {
			line, at = line+strings.Repeat(" ", gap)+word, at+gap+w
		}
	}
	return append(lines, line)
}

// WriteText writes text in lines that fit. The first begins with lead, in the colour of its
// tone; the others are indented.
func WriteText(w io.Writer, tone Tone, lead, indent, text string) error {
	s := styleOf(w)
	lines := fold(text, Width(lead)-Width(indent), s.Columns-Width(indent))
	words := strings.TrimRight(lead, " ")
	first := s.paint(tone, words) + lead[len(words):] + lines[0]
	lines[0] = strings.TrimRight(first, " ")
	_, err := io.WriteString(w, strings.Join(lines, "\n"+indent)+"\n")
	return err
}
