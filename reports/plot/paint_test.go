package plot

import "testing"

// readable is the least contrast of text, as WCAG 2.2 asks for at level AA.
const readable = 4.5

// TestTextStandsOut: in both themes, text can be read on whatever charts put it on.
func TestTextStandsOut(t *testing.T) {
	check := func(text, below Paint) {
		t.Helper()
		if c := contrast(text.light, below.light); c < readable {
			t.Errorf("light: %s on %s has a contrast of %.2f", text.role, below.role, c)
		}
		if c := contrast(text.dark, below.dark); c < readable {
			t.Errorf("dark: %s on %s has a contrast of %.2f", text.role, below.role, c)
		}
	}
	for _, p := range append([]Paint{ink, dim, good, bad}, runPaints...) {
		check(p, ground)
	}
	for _, p := range append([]Paint{good, bad}, runPaints...) {
		check(onFill, p) // the letters of badges
	}
	for _, p := range append([]Paint{queuedPaint, heldPaint, servicePaint, latePaint, wirePaint, earlierPaint}, classPaints...) {
		check(labelOn(p), p)
	}
}
