package plot

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"sort"
	"strings"
)

// A Paint is a colour with a role. SVG has the role as a class, and the style sheet
// of the page decides its colour; other formats have the colour of the light theme.
type Paint struct {
	role        string
	light, dark color.NRGBA
}

// RGBA implements color.Color with the light theme.
func (p Paint) RGBA() (r, g, b, a uint32) { return p.light.RGBA() }

// CSS returns the paint's custom property, as "var(--r1)".
func (p Paint) CSS() string { return "var(--" + p.role + ")" }

// A tint is a translucent paint.
type tint struct {
	Paint
	share float64 // opacity, 0 to 1
}

// RGBA implements color.Color with the light theme.
func (t tint) RGBA() (r, g, b, a uint32) {
	c := t.light
	c.A = uint8(255*t.share + 0.5)
	return c.RGBA()
}

func paint(role string, light, dark uint32) Paint {
	p := Paint{role, rgb(light), rgb(dark)}
	paints[role] = p
	return p
}

var paints = make(map[string]Paint)

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 0xff}
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// The roles. Colours keep their order of lightness under the common kinds of
// colour blindness, and no chart relies on colour alone: runs have letters, blocks
// and bars have names.
var (
	ink    = paint("ink", 0x1c2128, 0xe6e9ee) // text
	dim    = paint("dim", 0x5b6470, 0x9aa4b1) // secondary text
	rule   = paint("rule", 0xe3e6eb, 0x2b323c)
	ground = paint("bg", 0xffffff, 0x12161c)
	onFill = paint("on", 0xffffff, 0x0c0f13)    // text on a shape that stands out from the ground
	black  = paint("black", 0x14181d, 0x0c0f13) // text on a shape that is light in both themes

	// runPaints are the colours of runs, in order of appearance.
	runPaints = []Paint{
		paint("r1", 0xb9420f, 0xf08a5d), // vermilion
		paint("r2", 0x926400, 0xe2b33c), // amber
		paint("r3", 0x11698a, 0x56b6d8), // blue
		paint("r4", 0x6d4a9c, 0xb79be6), // violet
		paint("r5", 0x2c7a4b, 0x6cc58f), // green
		paint("r6", 0x4c5663, 0xa7b0bd), // slate
	}
	// classPaints are the colours of classes; the first is for the focus.
	classPaints = []Paint{
		paint("k1", 0xc2326e, 0xf77fb0), // magenta
		paint("k2", 0x687587, 0x7f8da3), // slates, neighbours far apart
		paint("k3", 0x364152, 0xc3ccda),
		paint("k4", 0xb4bdc9, 0x48546a),
		paint("k5", 0x566375, 0x93a0b5),
	}
	// Parts of a message's time.
	queuedPaint  = paint("queued", 0xc6cdd7, 0x4a5667)
	heldPaint    = paint("held", 0x2e3744, 0xdde3eb)
	servicePaint = paint("service", 0x677485, 0x8593a8)
	latePaint    = paint("late", 0xd69a2d, 0xc9953a)    // ochre: the load generator
	wirePaint    = paint("wire", 0x7fb2cf, 0x4f86a6)    // light blue: the network
	earlierPaint = paint("earlier", 0xa893c4, 0x8d76b3) // violet: deliveries that came back

	heat = paint("heat", 0xc2326e, 0xd8558f) // magenta, dark enough that ink shows on its tints

	good = paint("good", 0x2c7a4b, 0x6cc58f)
	bad  = paint("bad", 0xb3261e, 0xf2887f)
)

// labelOn returns the paint for a text on a shape of paint p: the one that stands out
// most in the theme in which it stands out least.
func labelOn(p Paint) Paint {
	worst := func(label Paint) float64 {
		return min(contrast(label.light, p.light), contrast(label.dark, p.dark))
	}
	return slices.MaxFunc([]Paint{ink, onFill, black}, func(a, b Paint) int { return cmp.Compare(worst(a), worst(b)) })
}

// contrast is the ratio of the luminances of two opaque colours, from 1 to 21, as WCAG 2.2
// defines it.
func contrast(a, b color.NRGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is the relative luminance of an sRGB colour, from 0 to 1.
func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 0xff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// RunPaint returns the colour of the i-th arm.
func RunPaint(i int) Paint { return runPaints[i%len(runPaints)] }

// Variables returns the declarations of all paints for one theme, in order of
// their roles, for a style sheet.
func Variables(dark bool) string {
	roles := make([]string, 0, len(paints))
	for role := range paints {
		roles = append(roles, role)
	}
	sort.Strings(roles)
	var b strings.Builder
	for _, role := range roles {
		c := paints[role].light
		if dark {
			c = paints[role].dark
		}
		fmt.Fprintf(&b, "--%s:%s;", role, hex(c))
	}
	return b.String()
}

// Classes returns the style rules that give the classes of an inlined chart the
// colours of [Variables].
func Classes() string {
	roles := make([]string, 0, len(paints))
	for role := range paints {
		roles = append(roles, role)
	}
	sort.Strings(roles)
	var b strings.Builder
	for _, role := range roles {
		fmt.Fprintf(&b, ".f-%s{fill:var(--%s)}.s-%s{stroke:var(--%s);fill:none}", role, role, role, role)
	}
	return b.String()
}
