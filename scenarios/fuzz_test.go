package scenarios

import (
	"testing"
)

// FuzzParse wants no panic on any text, and a text that loads to print itself
// as one that loads to the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sound))
	for _, name := range []string{"celery-optimized", "noisy-neighbour", "unroutable-alternate", "retry-storm", "fanout-amplification"} {
		data, err := Source(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return
		}
		file, err := Parse("f.yaml", data)
		if err != nil {
			return
		}
		s, err := file.Resolve(Options{})
		if err != nil {
			t.Fatalf("loads but does not resolve: %v", err)
		}
		roundTrip(t, "fuzz", s)
	})
}

// FuzzExpression wants no panic and no hang on any expression.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{"rho*n/5ms", "n > 9 ? a : b", "max(1, 2)", "mode == backoff-jitter", "-(1+2)%3", `"x" == 'y'`, "10s/0", "1e309", "300/s*2s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		params.eval(s)
		params.expectation(s)
	})
}
