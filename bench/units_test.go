package bench

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain writes Unit lines before benchmarks, so that a reader of the output knows which
// direction of a unit is better. Counts that prove the work have none.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() != "" {
		for _, unit := range []string{"B/binding better=lower", "msgs/s better=higher", "max-ns better=lower", "cpu-ns/op better=lower"} {
			fmt.Println("Unit", unit)
		}
	}
	os.Exit(m.Run())
}
