package plot

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// TestNothingIsCutOffOrOverlaps: every text of every chart is within its picture and
// on no other text, at both widths, in the widest face and in one that is a fifth
// narrower, as Helvetica is.
func TestNothingIsCutOffOrOverlaps(t *testing.T) {
	for _, width := range []float64{Wide, Narrow} {
		for name, in := range inputs() {
			for _, c := range Charts() {
				if f := c.Draw(in, width); f != nil {
					within(t, c.Name+" of "+name, f)
				}
			}
		}
		for name, f := range figures(width) {
			within(t, name, f)
		}
	}
}

// TestReadmesPictures: the same of the pictures that the README shows.
func TestReadmesPictures(t *testing.T) {
	for _, name := range []string{"../readme.svg", "../../bench/match.svg"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		size := regexp.MustCompile(`width="(\d+)" height="([\d.]+)"`).FindSubmatch(b)
		textsWithin(t, name, string(b), parseFloat(t, string(size[1])), parseFloat(t, string(size[2])))
	}
}

func within(t *testing.T, name string, f *Figure) {
	t.Helper()
	textsWithin(t, name, f.Inline(), f.Width, f.Height)
}

func textsWithin(t *testing.T, name, svg string, width, height float64) {
	t.Helper()
	for _, stretch := range []float64{1, 0.8} {
		boxes := textBoxes(t, svg, stretch)
		for i, b := range boxes {
			if b.x0 < -0.5 || b.x1 > width+0.5 || b.y0 < -1 || b.y1 > height+2 {
				t.Errorf("%s at %v px: %q from %.1f,%.1f to %.1f,%.1f leaves the picture of %v x %v", name, width, b.text, b.x0, b.y0, b.x1, b.y1, width, height)
			}
			for _, o := range boxes[:i] {
				if b.x0 < o.x1 && o.x0 < b.x1 && b.y0 < o.y1 && o.y0 < b.y1 {
					t.Errorf("%s at %v px: %q lies on %q at %.1f,%.1f", name, width, b.text, o.text, b.x0, b.y1)
				}
			}
		}
	}
}

type textBox struct {
	text           string
	x0, y0, x1, y1 float64
}

var (
	texts     = regexp.MustCompile(`<text x="([^"]*)" y="([^"]*)"([^>]*)>([^<]*)<`)
	fontSizes = regexp.MustCompile(`font-size="([^"]*)"`)
)

// textBoxes returns the boxes of the texts of a picture in a face whose widths are those of
// the widest one times stretch.
func textBoxes(t *testing.T, svg string, stretch float64) []textBox {
	t.Helper()
	var out []textBox
	for _, m := range texts.FindAllStringSubmatch(svg, -1) {
		size := float64(baseSize)
		if s := fontSizes.FindStringSubmatch(m[3]); s != nil {
			size = parseFloat(t, s[1])
		}
		text := unescape.Replace(m[4])
		w := stretch * float64(advance(text, strings.Contains(m[3], "bold"))) * size / unitsPerEm
		x, y := parseFloat(t, m[1]), parseFloat(t, m[2])
		switch {
		case strings.Contains(m[3], `text-anchor="middle"`):
			x -= w / 2
		case strings.Contains(m[3], `text-anchor="end"`):
			x -= w
		}
		out = append(out, textBox{text, x, y - 0.73*size, x + w, y + 0.15*size})
	}
	return out
}

// TestWidthsAreThoseOfTheWidestFace compares the tables with the fonts of the machine.
func TestWidthsAreThoseOfTheWidestFace(t *testing.T) {
	for file, widths := range map[string][]uint16{"DejaVuSans.ttf": regularWidths[:], "DejaVuSans-Bold.ttf": boldWidths[:]} {
		b, err := os.ReadFile("/usr/share/fonts/truetype/dejavu/" + file)
		if err != nil {
			t.Skipf("the machine has no DejaVu fonts: %v", err)
		}
		f, err := sfnt.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		var buf sfnt.Buffer
		for i, w := range widths {
			g, err := f.GlyphIndex(&buf, rune(' '+i))
			if err != nil {
				t.Fatal(err)
			}
			a, err := f.GlyphAdvance(&buf, g, fixed.I(unitsPerEm), font.HintingNone)
			if err != nil {
				t.Fatal(err)
			}
			if a.Round() > int(w) {
				t.Errorf("%s: %q takes %d, the table says %d", file, rune(' '+i), a.Round(), w)
			}
		}
	}
}
