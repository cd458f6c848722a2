package plot

import (
	"fmt"
	"html"
	"image"
	"image/color"
	"math"
	"sort"
	"strconv"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// fontStack is the font family of the page and the charts. The layout holds with
// each of them: see face.
const fontStack = "Helvetica Neue,Helvetica,Arial,Liberation Sans,system-ui,sans-serif"

// An svg is a vg.Canvas that writes compact SVG. It rounds coordinates to 1/100 px,
// so that the files are the same in spite of small differences between the
// arithmetic of CPUs. Paints are classes and text is text. One vg point is one px.
type svg struct {
	w, h  float64
	b     strings.Builder
	state []svgState
	used  map[string]bool // the style classes in use
	title string          // tooltip of the next shape

	anchor text.XAlignment // of the next texts: where in the text its point lies
}

type svgState struct {
	ax, ay, bx, by, x0, y0 float64 // x = x0 + ax*px + bx*py, y = y0 + ay*px + by*py
	width                  vg.Length
	dash                   []vg.Length
	paint                  color.Color
}

var _ vg.CanvasSizer = (*svg)(nil)

func newSVG(w, h float64) *svg {
	s := &svg{w: w, h: h, used: make(map[string]bool)}
	s.state = []svgState{{ax: 1, by: 1}}
	vg.Initialize(s)
	return s
}

func (s *svg) top() *svgState { return &s.state[len(s.state)-1] }

// Size implements vg.CanvasSizer.
func (s *svg) Size() (w, h vg.Length) { return vg.Length(s.w), vg.Length(s.h) }

func (s *svg) SetLineWidth(w vg.Length)               { s.top().width = w }
func (s *svg) SetLineDash(d []vg.Length, _ vg.Length) { s.top().dash = d }
func (s *svg) SetColor(c color.Color)                 { s.top().paint = c }

func (s *svg) Rotate(rad float64) {
	t, sin, cos := s.top(), math.Sin(rad), math.Cos(rad)
	t.ax, t.bx = t.ax*cos+t.bx*sin, t.bx*cos-t.ax*sin
	t.ay, t.by = t.ay*cos+t.by*sin, t.by*cos-t.ay*sin
}

func (s *svg) Translate(p vg.Point) {
	t := s.top()
	t.x0, t.y0 = s.at(p)
}

func (s *svg) Scale(x, y float64) {
	t := s.top()
	t.ax, t.ay, t.bx, t.by = t.ax*x, t.ay*x, t.bx*y, t.by*y
}

func (s *svg) Push() { s.state = append(s.state, *s.top()) }
func (s *svg) Pop()  { s.state = s.state[:len(s.state)-1] }

// at applies the transformation, with the origin at the bottom left.
func (s *svg) at(p vg.Point) (x, y float64) {
	t := s.top()
	px, py := float64(p.X), float64(p.Y)
	return t.x0 + t.ax*px + t.bx*py, t.y0 + t.ay*px + t.by*py
}

// num writes a coordinate at 1/100 px.
func num(v float64) string {
	v = math.Round(v*100) / 100
	if v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// class returns the attributes for a colour as kind "f", fill, or "s", stroke: a
// class for a paint, which it marks as used, and the colour itself for others.
func (s *svg) class(kind string, c color.Color) string {
	if p, ok := c.(Paint); ok {
		name := kind + "-" + p.role
		s.used[name] = true
		return ` class="` + name + `"`
	}
	if t, ok := c.(tint); ok {
		return s.class(kind, t.Paint) + ` fill-opacity="` + num(t.share) + `"`
	}
	attr := map[string]string{"f": "fill", "s": `fill="none" stroke`}[kind]
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	out := fmt.Sprintf(` %s="%s"`, attr, hex(n))
	if n.A != 0xff {
		out += fmt.Sprintf(` opacity="%s"`, num(float64(n.A)/255))
	}
	return out
}

func (s *svg) Stroke(p vg.Path) {
	t := s.top()
	if t.width <= 0 || len(p) == 0 {
		return
	}
	fmt.Fprintf(&s.b, `<path%s d="%s"`, s.class("s", t.paint), s.path(p))
	if t.width != 1 {
		fmt.Fprintf(&s.b, ` stroke-width="%s"`, num(float64(t.width)))
	}
	if len(t.dash) > 0 {
		var d []string
		for _, l := range t.dash {
			d = append(d, num(float64(l)))
		}
		fmt.Fprintf(&s.b, ` stroke-dasharray="%s"`, strings.Join(d, " "))
	}
	s.endPath()
}

func (s *svg) Fill(p vg.Path) {
	if len(p) == 0 {
		return
	}
	fmt.Fprintf(&s.b, `<path%s d="%s"`, s.class("f", s.top().paint), s.path(p))
	s.endPath()
}

// endPath ends a path, with its tooltip if it has one.
func (s *svg) endPath() {
	if s.title == "" {
		s.b.WriteString("/>\n")
		return
	}
	fmt.Fprintf(&s.b, "><title>%s</title></path>\n", html.EscapeString(s.title))
	s.title = ""
}

// path returns path data, with the short forms of horizontal and vertical lines.
func (s *svg) path(p vg.Path) string {
	var b strings.Builder
	var lx, ly string
	for _, c := range p {
		x, y := s.at(c.Pos)
		nx, ny := num(x), num(s.h-y)
		switch c.Type {
		case vg.MoveComp:
			b.WriteString("M" + nx + " " + ny)
		case vg.LineComp:
			switch {
			case nx == lx && ny == ly:
				continue
			case ny == ly:
				b.WriteString("H" + nx)
			case nx == lx:
				b.WriteString("V" + ny)
			default:
				b.WriteString("L" + nx + " " + ny)
			}
		case vg.CurveComp:
			b.WriteString([]string{"", "Q", "C"}[len(c.Control)])
			for _, q := range c.Control {
				qx, qy := s.at(q)
				b.WriteString(num(qx) + " " + num(s.h-qy) + " ")
			}
			b.WriteString(nx + " " + ny)
		case vg.ArcComp:
			s.arc(&b, c)
			continue
		case vg.CloseComp:
			b.WriteString("Z")
			continue
		}
		lx, ly = nx, ny
	}
	return b.String()
}

// arc writes an arc in two halves, since an SVG arc cannot end where it begins.
func (s *svg) arc(b *strings.Builder, c vg.PathComp) {
	on := func(angle float64) (string, string) {
		sin, cos := math.Sincos(angle)
		x, y := s.at(vg.Point{X: c.Pos.X + c.Radius*vg.Length(cos), Y: c.Pos.Y + c.Radius*vg.Length(sin)})
		return num(x), num(s.h - y)
	}
	x, y := on(c.Start)
	if b.Len() == 0 {
		b.WriteString("M" + x + " " + y)
	} else {
		b.WriteString("L" + x + " " + y)
	}
	sweep := 0
	if c.Angle < 0 {
		sweep = 1
	}
	for half := 1; half <= 2; half++ {
		x, y = on(c.Start + c.Angle*float64(half)/2)
		fmt.Fprintf(b, "A%s %s 0 0 %d %s %s", num(float64(c.Radius)), num(float64(c.Radius)), sweep, x, y)
	}
}

// baseSize is the font size that the svg element sets, in px.
const baseSize = 11

func (s *svg) FillString(f font.Face, pt vg.Point, txt string) {
	if f.Font.Size == 0 || txt == "" {
		return
	}
	x, y := s.at(pt)
	fmt.Fprintf(&s.b, `<text x="%s" y="%s"%s`, num(x), num(s.h-y), s.class("f", s.top().paint))
	if size := float64(f.Font.Size); size != baseSize {
		fmt.Fprintf(&s.b, ` font-size="%s"`, num(size))
	}
	switch s.anchor {
	case text.XCenter:
		s.b.WriteString(` text-anchor="middle"`)
	case text.XRight:
		s.b.WriteString(` text-anchor="end"`)
	}
	if f.Font.Weight >= xfont.WeightBold {
		s.b.WriteString(` font-weight="bold"`)
	}
	if t := s.top(); t.ay != 0 {
		fmt.Fprintf(&s.b, ` transform="rotate(%s %s %s)"`, num(-math.Atan2(t.ay, t.ax)*180/math.Pi), num(x), num(s.h-y))
	}
	fmt.Fprintf(&s.b, ">%s</text>\n", html.EscapeString(txt))
}

// DrawImage implements vg.Canvas. Charts hold no images.
func (s *svg) DrawImage(vg.Rectangle, image.Image) { panic("plot: a chart draws an image") }

// inline returns the picture as an element for a page whose style sheet has
// [Variables] and [Classes].
func (s *svg) inline(alt string) string {
	return fmt.Sprintf(`<svg viewBox="0 0 %s %s" role="img" aria-label="%s" font-size="%d" xmlns="http://www.w3.org/2000/svg">`+"\n%s</svg>",
		num(s.w), num(s.h), html.EscapeString(alt), baseSize, s.b.String())
}

// file returns the picture as a document, light or dark as its viewer prefers.
func (s *svg) file(alt string) string {
	var light, dark strings.Builder
	classes := make([]string, 0, len(s.used))
	for c := range s.used {
		classes = append(classes, c)
	}
	sort.Strings(classes)
	for _, c := range classes {
		property, more := "fill", ""
		if c[0] == 's' {
			property, more = "stroke", ";fill:none"
		}
		p := paints[c[2:]]
		fmt.Fprintf(&light, ".%s{%s:%s%s}", c, property, hex(p.light), more)
		fmt.Fprintf(&dark, ".%s{%s:%s}", c, property, hex(p.dark))
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="img" font-family="%s" font-size="%d">
<title>%s</title>
<style>.ground{fill:%s}%s@media (prefers-color-scheme:dark){.ground{fill:%s}%s}</style>
<rect class="ground" width="100%%" height="100%%"/>
%s</svg>
`, num(s.w), num(s.h), num(s.w), num(s.h), fontStack, baseSize, html.EscapeString(alt),
		hex(ground.light), light.String(), hex(ground.dark), dark.String(), s.b.String())
}
