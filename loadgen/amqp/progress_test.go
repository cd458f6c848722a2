package amqp

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"harelab/engine"
	"harelab/loadgen"
	"harelab/scenarios"
)

// TestTimeLeft wants the time left to fall as time passes, also while long work
// is under way and nothing is finished. The last ten seconds of celery-optimized
// are one net alone, which an even spread would not see.
func TestTimeLeft(t *testing.T) {
	for _, c := range []struct {
		name, variant string
		end, exact    time.Duration // of the run; since when the estimate is exact
	}{
		{"celery-initial", "", 11 * time.Second, 0},
		{"celery-optimized", "same-load-fair", 20 * time.Second, 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			e, err := engine.New(engine.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			seen := 0
			_, err = Run(t.Context(), resolve(t, c.name, scenarios.Options{Variant: c.variant}), Options{
				Dial: func(context.Context) (net.Conn, error) { return e.Dial() }, alarm: loadgen.Coarse(0),
				Progress: func(p loadgen.Progress) {
					if p.Elapsed > 0 && p.Elapsed < c.end && p.Elapsed > c.exact {
						seen++
						if off := p.Left - (c.end - p.Elapsed); off < -25*time.Millisecond || off > 25*time.Millisecond {
							t.Errorf("%s: %v left after %v of %v", c.name, p.Left, p.Elapsed, c.end)
						}
					}
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if seen < 20 {
				t.Errorf("%s: progress was looked at %d times, want 20 or more", c.name, seen)
			}
		})
	}
}
