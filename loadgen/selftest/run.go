package selftest

import (
	"context"
	"errors"
	"fmt"
	"io"

	"harelab/loadgen/sim"
)

// maxShown is the greatest number of mismatches printed for one case.
const maxShown = 20

// RunAnswers runs the known answers in r on harelab's broker in virtual time and
// compares all results: integers exactly, decimals to 1e-6 relative plus 1e-6. It
// prints each mismatch to w, with case, message, field, wanted and measured value,
// and a summary line at the end.
//
// It returns the number of mismatches. The error says that r cannot be read, is not a
// file of known answers, or has invalid cases, in which case the others are run.
// Mismatches are not errors.
func RunAnswers(r io.Reader, w io.Writer) (mismatches int, err error) {
	f, err := readAnswers(r)
	if err != nil {
		return 0, err
	}
	for _, key := range f.unknown {
		fmt.Fprintf(w, "unknown key %s was ignored\n", key)
	}
	if f.Vectors != nil {
		c := checker{w: w, name: "rng_test_vectors", limit: maxShown}
		c.vectors(f.Vectors)
		mismatches += c.close()
	}
	for _, t := range f.cases {
		mismatches += runCase(t, w)
	}
	if _, err := fmt.Fprintf(w, "%d cases, %d mismatches\n", len(f.cases), mismatches); err != nil {
		return mismatches, err
	}
	return mismatches, errors.Join(f.refused...)
}

// runCase runs one case and returns the number of mismatches.
func runCase(t *testCase, w io.Writer) int {
	for _, key := range t.unknown {
		fmt.Fprintf(w, "%s: unknown key %s was ignored\n", t.name, key)
	}
	c := checker{w: w, name: t.name, limit: maxShown}
	o, err := simulate(context.Background(), &t.Scenario)
	if err == nil {
		err = c.compare(t, o)
	}
	if err != nil {
		c.differ("", "run", "a result", err)
	}
	return c.close()
}

// vectors compares the random generator's numbers with a file's.
func (c *checker) vectors(v *vectors) {
	r := sim.NewRand(v.Seed)
	for i, want := range v.NextHex {
		if got := fmt.Sprintf("%016x", r.Uint64()); got != want {
			c.differ("", fmt.Sprintf("next_hex[%d]", i), want, got)
		}
	}
	r = sim.NewRand(v.Seed)
	for i, want := range v.U32 {
		if got := r.Uint32(); got != want {
			c.differ("", fmt.Sprintf("u32[%d]", i), want, got)
		}
	}
	r = sim.NewRand(v.Seed)
	for i, want := range v.Below11 {
		if got := r.Below(11); got != int(want) {
			c.differ("", fmt.Sprintf("below_11[%d]", i), want, got)
		}
	}
	r = sim.NewRand(v.Seed)
	for i, want := range v.Exp {
		if got := r.Exp(1_000_000); got != want {
			c.differ("", fmt.Sprintf("exp_mean_1000000[%d]", i), want, got)
		}
	}
}
