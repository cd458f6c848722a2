package metric

// An Expectation is a statement about a run:
// "wait.p99{class=job,tenant!=noisy} < 1s".
type Expectation struct {
	Text   string // as written, without its condition
	Line   int    // in the scenario's file, from 1; 0: none
	Of     Query
	Op     string  // == != < <= > >=
	Value  float64 // seconds for times, a fraction for percentages, else a number
	Unit   string  // of Value: "s", "%" or ""
	Grain  float64 // place value of the last digit written, in Value's scale: 0.001 for "0.599"; in virtual time == compares no further digits
	Times  string  // not empty: the right-hand side is Value times this metric, one of [Numbers], as in "returned == unroutable"
	RelTol float64 // tolerance on a real clock: relative part
	AbsTol float64 // tolerance on a real clock: seconds
}

// operators are the comparisons, longest first so that <= is not read as <.
var operators = []string{"==", "!=", "<=", ">=", "<", ">"}

// Operators returns the comparisons of expectations, longest first.
func Operators() []string { return append([]string(nil), operators...) }
