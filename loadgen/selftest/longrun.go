package selftest

import "math"

// observable are the quantities that closed forms of long runs may name.
var observable = map[string]quantity{
	"mean_wait_us":     {of: func(r *row) float64 { return float64(r.start - r.arrival) }},
	"mean_response_us": {of: func(r *row) float64 { return float64(r.finish - r.arrival) }},
	"p99_response_us":  {of: func(r *row) float64 { return float64(r.finish - r.arrival) }, p99: true},
	"p_wait":           {of: waitedOf},
	"mean_slowdown":    {of: slowdownOf},
}

// closedForms checks the closed forms in the result of a long run: the observed value
// and its standard error against the outcome, and the figures against each other.
// The trace's hash proves the outcome; the closed forms are for readers, and must
// fit it.
func (c *checker) closedForms(t *testCase, o *outcome) {
	for _, f := range t.ClosedForm {
		at := "closed_form." + f.Quantity
		if q, ok := observable[f.Quantity]; ok && len(o.rows) >= batches {
			got, se := q.measure(o)
			if !close6(f.Observed, got) {
				c.differ("", at+".observed", f.Observed, round6(got))
			}
			if !close6(f.StandardError, se) {
				c.differ("", at+".standard_error", f.StandardError, round6(se))
			}
		}
		if e := (f.Observed - f.Expected) / f.Expected; math.Abs(f.RelativeError-e) > 2e-6*(1+1/math.Abs(f.Expected)) {
			c.differ("", at+".relative_error", f.RelativeError, round6(e))
		}
		tolerance := max(4*f.StandardError, 0.01*f.Expected)
		if limit := max(4*f.StandardError, 0.05*f.Expected); !close4(f.Tolerance, tolerance) && !close4(f.Tolerance, limit) {
			c.differ("", at+".tolerance", f.Tolerance, round6(tolerance))
		}
		if ok := math.Abs(f.Observed-f.Expected) <= f.Tolerance; ok != f.OK {
			c.differ("", at+".ok", f.OK, ok)
		}
	}
}

// close4 is close6 for a sum of four rounded values.
func close4(want, got float64) bool { return math.Abs(want-got) <= 1e-6*math.Abs(want)+4e-6 }
