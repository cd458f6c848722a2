package terminal

import (
	"bytes"
	"strings"
	"testing"
)

// styled is a terminal.
type styled struct {
	bytes.Buffer
	style Style
}

func (s *styled) Style() Style { return s.style }

func TestColourOnlyWhereItIsAsked(t *testing.T) {
	for _, tt := range []struct {
		style Style
		want  string
	}{
		{Style{Color: true}, "\x1b[31mINVALID:\x1b[0m late\n"},
		{Style{}, "INVALID: late\n"},
	} {
		w := &styled{style: tt.style}
		if err := WriteText(w, Bad, "INVALID: ", "  ", "late"); err != nil || w.String() != tt.want {
			t.Errorf("%+v: %q, %v, want %q", tt.style, w.String(), err, tt.want)
		}
	}
	var pipe bytes.Buffer
	if WriteText(&pipe, Bad, "x", "", ""); pipe.String() != "x\n" {
		t.Errorf("a pipe gets %q", pipe.String())
	}
}

// TestTextIsBrokenAtSpaces: a number stays with its unit, and a path stays whole.
func TestTextIsBrokenAtSpaces(t *testing.T) {
	path := "runs/" + strings.Repeat("x", 60)
	w := &styled{style: Style{Columns: 40}}
	if err := WriteText(w, Neutral, "note: ", "  ", "the longest wait of quick messages was 12 ms in "+path+" or so"); err != nil {
		t.Fatal(err)
	}
	if want := "note: the longest wait of quick messages\n  was 12 ms in\n  " + path + "\n  or so\n"; w.String() != want {
		t.Errorf("got\n%swant\n%s", w.String(), want)
	}
}

// TestColumnsGiveWay: constant columns go first, then those of the least need; a name is
// shortened in its middle only if that is not enough.
func TestColumnsGiveWay(t *testing.T) {
	table := Table{Columns: []Column{{Head: "name", Left: true}, {Head: "same", Need: 9}, {Head: "little", Need: 1}, {Head: "much", Need: 5}},
		Rows: [][]string{{"a.name.that.says.much", "12345678", "1 s", "2 s"}, {"b", "12345678", "3 s", "4 s"}}}
	for _, tt := range []struct {
		columns int
		want    string
	}{
		{60, "name                       same  little  much\na.name.that.says.much  12345678     1 s   2 s\nb                      12345678     3 s   4 s\n"},
		{40, "name                   little  much\na.name.that.says.much     1 s   2 s\nb                         3 s   4 s\nNot shown in 40 columns: same\n  (12345678).\n"},
	} {
		w := &styled{style: Style{Columns: tt.columns}}
		if err := table.Write(w); err != nil || w.String() != tt.want {
			t.Errorf("%d columns: got\n%swant\n%s", tt.columns, w.String(), tt.want)
		}
	}
	table.Rows[0][0] = strings.Repeat("long", 20)
	w := &styled{style: Style{Columns: 40}}
	if err := table.Write(w); err != nil || !strings.Contains(w.String(), "longlonglong…glonglonglong     1 s   2 s\n") {
		t.Errorf("got\n%s, %v", w.String(), err)
	}
}
