package lab_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"harelab/bench/lab"
	"harelab/reports/compare"
)

var sim = lab.Target{Kind: lab.Sim}

// Why do quick queries starve? They wait behind slow jobs in a worker's prefetch window;
// prefetch 1 with acks after the work ends that. Your own test begins with
//
//	func TestQueriesStayQuick(t *testing.T) { ... }
func ExampleRun() {
	test := func(t lab.TB) {
		const worst = "wait.max{class=run_user_query}"
		for _, variant := range []string{"same-load", "same-load-fair"} {
			r := lab.Run(t, "celery-optimized", lab.Variant(variant))
			fmt.Printf("%-14s  a query waits up to %.2f s\n", variant, lab.Figure(t, r, worst))
		}
	}
	test(printed{})
	// Output:
	// same-load       a query waits up to 10.50 s
	// same-load-fair  a query waits up to 3.90 s
}

// An expectation that the run does not meet fails the test.
func ExampleRun_expectations() {
	test := func(t lab.TB) {
		lab.Run(t, "celery-optimized", lab.Variant("same-load-fair"), lab.Set("ack", "on-start"))
	}
	test(printed{})
	// Output:
	// celery-optimized/same-load-fair on sim, seed 20190930: wait.mean{class=run_user_query} == 1.95s is not met: measured 2.257 s
	// celery-optimized/same-load-fair on sim, seed 20190930: finish{class=run_user_query} == 4s is not met: measured 10.1 s
	// celery-optimized/same-load-fair on sim, seed 20190930: wait.max{class=run_user_query} == 3.9s is not met: measured 10 s
	// celery-optimized/same-load-fair on sim, seed 20190930: held.max{class=run_user_query} == 0s is not met: measured 10 s
	// celery-optimized/same-load-fair on sim, seed 20190930: starvation{class=run_user_query} <= 100ms is not met: measured 6.3 s
}

func ExampleMeasure() {
	arms, err := lab.Expand(lab.Request{Scenarios: []string{"celery-initial"}, Targets: []lab.Target{sim}, Repeat: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	runs, err := lab.Measure(context.Background(), arms, 1, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range runs {
		wait, err := lab.Ask(r.Summary, "wait.mean{class=run_user_query}")
		fmt.Printf("%s: queries wait %.2f s on average, %v\n", r.Summary.Arm, wait, err)
	}
	// Output:
	// celery-initial: queries wait 10.45 s on average, <nil>
}

func ExampleNewVary() {
	axis, err := lab.ParseAxis("dispatch=rr,fair")
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := lab.NewVary(lab.VaryRequest{Scenario: "odd-heavy-even-light", Axis: axis, Target: sim})
	if err != nil {
		fmt.Println(err)
		return
	}
	varied, err := v.Run(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := varied.Compare([]string{"wait.mean{class=light}", "utilisation"})
	if err != nil {
		fmt.Println(err)
		return
	}
	compare.WriteText(os.Stdout, c)
	// Output:
	// Worse with dispatch=fair: the mean wait of light is 5.45 s instead of 0.95 s.
	//
	//                         dispatch=rr  dispatch=fair
	// wait.mean{class=light}       0.95 s         5.45 s  +473.7 %
	// utilisation                    55 %          100 %   +81.8 %
	// same load: yes
	// All figures are exact: virtual time. Better or worse is a change of more than a fifth.
	// dispatch=fair is worse in wait.mean{class=light} (+473.7 %).
}

func ExampleNewSweep() {
	axis, err := lab.ParseAxis("prefetch=1,2,4")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := lab.NewSweep(lab.SweepRequest{Scenario: "odd-heavy-even-light", Axes: []lab.Axis{axis}, Target: sim, Goal: "wait.mean{class=light}"})
	if err != nil {
		fmt.Println(err)
		return
	}
	waits := make(map[string]float64)
	err = s.Run(context.Background(), nil, func(c lab.Cell) error {
		waits[s.Label(c.Values)] = c.Metrics[s.Goal]
		return nil
	}, nil)
	fmt.Println(waits, err)
	// Output:
	// map[prefetch=1:5.45 prefetch=2:5.25 prefetch=4:5.27] <nil>
}

// printed is a test that prints its failures.
type printed struct{}

var _ lab.TB = testing.TB(nil) // every test of Go is a TB

func (printed) Helper()                           {}
func (printed) Context() context.Context          { return context.Background() }
func (printed) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (printed) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// How many queries can the fair split take until one waits 10 seconds?
func ExampleNewSearch() {
	s, err := lab.NewSearch(lab.SearchRequest{Scenario: "celery-optimized", Variant: "same-load-fair", Param: "queries",
		From: 10, To: 1000, Bounds: []string{"wait.max{class=run_user_query} < 10s"}, Target: sim})
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := s.Run(context.Background(), nil)
	fmt.Println(found.Value, len(found.Tried), err)
	// Output:
	// 100 12 <nil>
}
