package metric_test

import (
	"fmt"
	"log"

	"harelab/scenarios/metric"
)

// Parse reads the name of a figure and checks it.
func ExampleParse() {
	q, err := metric.Parse("wait.p99{class=quick, tenant!=noisy}")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(q)
	fmt.Println(q.Def().Doc)
	fmt.Printf("unit %s, lower is better: %t\n", q.Unit(), q.Better() == metric.Lower)

	_, err = metric.Parse("wait.p99{clas=quick}")
	fmt.Println(err)
	// Output:
	// wait.p99{class=quick,tenant!=noisy}
	// from the intended instant to started: what the user feels
	// unit s, lower is better: true
	// metric "wait.p99": unknown label "clas": did you mean "class"? (have before, by, class, phase, queue, tenant, worker)
}

// A Scope refuses labels whose value is not among the names of a run.
func ExampleScope_Check() {
	scope := metric.Scope{Classes: []string{"quick", "slow"}}
	fmt.Println(scope.Check(metric.Must("wait.p99{class=quick}")))
	fmt.Println(scope.Check(metric.Must("wait.p99{class=quik}")))
	// Output:
	// <nil>
	// metric "wait.p99{class=quik}": there is no class "quik": did you mean "quick"? (have quick, slow)
}
