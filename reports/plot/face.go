package plot

import (
	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A face lays out text for viewers whose fonts are unknown. It measures widths with
// the widest of the common sans faces, so that what does not overlap in the layout
// does not overlap with a narrower one, and it tells an SVG canvas where a text is
// anchored, so that a text ends or is centred where it should in every font.
type face struct{ text.Handler }

func newFace() face { return face{plot.DefaultTextHandler} }

// Box implements text.Handler.
func (f face) Box(txt string, fnt font.Font) (width, height, depth vg.Length) {
	_, height, depth = f.Handler.Box("", fnt)
	return vg.Length(advance(txt, fnt.Weight >= xfont.WeightBold)) * fnt.Size / unitsPerEm, height, depth
}

// Draw implements text.Handler.
func (f face) Draw(c vg.Canvas, txt string, sty text.Style, pt vg.Point) {
	if s := svgBelow(c); s != nil {
		s.anchor = sty.XAlign
		sty.XAlign = text.XLeft
		defer func() { s.anchor = text.XLeft }()
	}
	f.Handler.Draw(c, txt, sty, pt)
}

// svgBelow returns the SVG canvas that a canvas, cropped any number of times, draws
// on, and nil if that is another kind.
func svgBelow(c vg.Canvas) *svg {
	for {
		switch below := c.(type) {
		case *svg:
			return below
		case draw.Canvas:
			c = below.Canvas
		case *draw.Canvas:
			c = below.Canvas
		default:
			return nil
		}
	}
}

// unitsPerEm is the unit of the widths below.
const unitsPerEm = 2048

// advance returns the width of a text in units of the em.
func advance(txt string, bold bool) int {
	table := &regularWidths
	if bold {
		table = &boldWidths
	}
	sum := 0
	for _, r := range txt {
		switch {
		case r >= ' ' && int(r-' ') < len(table):
			sum += int(table[r-' '])
		case r == 0xa0: // no-break space
			sum += int(table[0])
		case r == 0xb5: // micro sign
			sum += muWidth
		case r == 0xb7: // middle dot
			sum += int(table['.'-' '])
		case r == '…':
			sum += unitsPerEm
		case r == '\u200b': // zero-width space
		default:
			sum += otherWidth
		}
	}
	return sum
}

const (
	muWidth    = 1323
	otherWidth = 2250 // of characters outside the tables: that of the widest Cyrillic letters
)

// The advance widths of the characters from space to ~ in DejaVu Sans and DejaVu Sans
// Bold, which share their proportions with Verdana; the space is Verdana's, which is
// wider.
var (
	regularWidths = [...]uint16{
		720, 821, 942, 1716, 1303, 1946, 1597, 563, 799, 799, 1024, 1716, 651, 739, 651, 690,
		1303, 1303, 1303, 1303, 1303, 1303, 1303, 1303, 1303, 1303, 690, 690, 1716, 1716, 1716, 1087,
		2048, 1401, 1405, 1430, 1577, 1294, 1178, 1587, 1540, 604, 604, 1343, 1141, 1767, 1532, 1612,
		1235, 1612, 1423, 1300, 1251, 1499, 1401, 2025, 1403, 1251, 1403, 799, 690, 799, 1716, 1024,
		1024, 1255, 1300, 1126, 1300, 1260, 721, 1300, 1298, 569, 569, 1186, 569, 1995, 1298, 1253,
		1300, 1300, 842, 1067, 803, 1298, 1212, 1675, 1212, 1212, 1075, 1303, 690, 1303, 1716,
	}
	boldWidths = [...]uint16{
		720, 934, 1067, 1716, 1425, 2052, 1786, 627, 936, 936, 1071, 1716, 778, 850, 778, 748,
		1425, 1425, 1425, 1425, 1425, 1425, 1425, 1425, 1425, 1425, 819, 819, 1716, 1716, 1716, 1188,
		2048, 1585, 1561, 1503, 1700, 1399, 1399, 1681, 1714, 762, 762, 1587, 1305, 2038, 1714, 1741,
		1501, 1741, 1577, 1475, 1397, 1663, 1585, 2259, 1579, 1483, 1485, 936, 748, 936, 1716, 1024,
		1024, 1382, 1466, 1214, 1466, 1389, 891, 1466, 1458, 702, 702, 1362, 702, 2134, 1458, 1407,
		1466, 1466, 1010, 1219, 979, 1458, 1335, 1892, 1321, 1335, 1192, 1458, 748, 1458, 1716,
	}
)
