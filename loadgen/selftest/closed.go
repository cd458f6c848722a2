package selftest

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
)

// batches is the number of equal parts into which a run is cut for its standard
// error: the means of long parts are nearly independent, single waits are not.
const batches = 20

// A theory is a model with a closed form: a scenario and its expected quantities.
type theory struct {
	model    string
	scenario scenario
	expect   []quantity
}

// A quantity is a mean over the messages of a class, and its value by the formula.
type quantity struct {
	name     string
	class    string  // empty: all
	expected float64 // seconds, or a number
	slack    float64 // relative tolerance; 0: 1 %
	of       func(r *row) float64
	p99      bool // take the 99th percentile instead of the mean
}

// RunClosedForms runs models for which queueing theory has formulas on harelab's
// broker in virtual time, with fixed seeds. It prints for each quantity of a model
// the expected and the measured value, and their difference in percent and in
// standard errors (by 20 batch means). A quantity passes if the difference is at most
// four standard errors or 1 % (5 % for a mean-field limit), whichever is larger.
// Little's law must hold as an identity between integers. RunClosedForms returns the
// number of quantities that failed.
func RunClosedForms(w io.Writer) (failed int, err error) {
	const head, line = "  %-20s %15s %15s %9s %7s\n", "  %-20s %15.4f %15.4f %+8.2f%% %+7.1f%s\n"
	fmt.Fprintf(w, head, "", "expected", "got", "off", "errors")
	all := theories()
	checked := 0
	for i := range all {
		t := &all[i]
		o, err := t.run()
		if err != nil {
			return failed, fmt.Errorf("%s: %w", t.model, err)
		}
		fmt.Fprintln(w, t.model)
		for _, q := range t.expect {
			got, se := q.measure(o)
			verdict := ""
			if !q.agrees(got, se) {
				verdict = " FAIL"
				failed++
			}
			checked++
			fmt.Fprintf(w, line, q.label(), q.expected, got,
				100*(got-q.expected)/q.expected, (got-q.expected)/se, verdict)
		}
		area, sum := littlesLaw(o.rows)
		checked++
		verdict := ""
		if area != sum {
			verdict = " FAIL"
			failed++
		}
		fmt.Fprintf(w, "  %-20s %15d %15d%s\n", "Little's law", sum, area, verdict)
	}
	_, err = fmt.Fprintf(w, "%d models, %d quantities, %d failed\n", len(all), checked, failed)
	return failed, err
}

// run simulates the model.
func (t *theory) run() (*outcome, error) {
	c := testCase{Scenario: t.scenario}
	c.Scenario.fill()
	if err := c.check(); err != nil {
		return nil, err
	}
	return simulate(context.Background(), &c.Scenario)
}

func (q *quantity) label() string {
	if q.class == "" {
		return q.name
	}
	return q.name + " " + q.class
}

func (q *quantity) agrees(got, se float64) bool {
	slack := q.slack
	if slack == 0 {
		slack = 0.01
	}
	return math.Abs(got-q.expected) <= max(4*se, slack*q.expected)
}

// measure returns the quantity and its standard error by batch means.
func (q *quantity) measure(o *outcome) (value, se float64) {
	class := slices.Index(o.classes, q.class)
	var values []float64
	for i := range o.rows {
		if r := &o.rows[i]; q.class == "" || int(r.class) == class {
			values = append(values, q.of(r))
		}
	}
	n := len(values) / batches
	var parts [batches]float64
	for b := range parts {
		parts[b] = q.reduce(values[b*n : (b+1)*n])
	}
	value = q.reduce(values)
	return value, math.Sqrt(variance(parts[:]) / batches)
}

func (q *quantity) reduce(values []float64) float64 {
	if q.p99 {
		sorted := slices.Clone(values)
		slices.Sort(sorted)
		return sorted[(99*len(sorted)+99)/100-1]
	}
	return mean(values)
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func variance(x []float64) float64 {
	m, sum := mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(x)-1)
}

// littlesLaw returns both sides of Little's law times the length of the run: the
// area under the number of messages in the system, by a pass over arrivals and
// departures, and the sum of the times that the messages spent in the system. As
// integers they are equal, unless a message left before it arrived, twice or never.
func littlesLaw(rows []row) (area, sum int64) {
	var arrivals, departures []int64
	for i := range rows {
		if r := &rows[i]; r.state == "done" {
			arrivals = append(arrivals, r.arrival)
			departures = append(departures, r.finish)
			sum += r.finish - r.arrival
		}
	}
	slices.Sort(arrivals)
	slices.Sort(departures)
	var inside, last int64
	for a, d := 0, 0; d < len(departures); {
		now := departures[d]
		if a < len(arrivals) && arrivals[a] <= now {
			now = arrivals[a]
			a++
			area += inside * (now - last)
			inside++
		} else {
			d++
			area += inside * (now - last)
			inside--
		}
		last = now
	}
	return area, sum
}

// The measures of a message. Times are in seconds.

func waitOf(r *row) float64     { return float64(r.start-r.arrival) / 1e6 }
func responseOf(r *row) float64 { return float64(r.finish-r.arrival) / 1e6 }
func slowdownOf(r *row) float64 { return float64(r.finish-r.arrival) / float64(r.service) }

func waitedOf(r *row) float64 {
	if r.start > r.arrival {
		return 1
	}
	return 0
}
