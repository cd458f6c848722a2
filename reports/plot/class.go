package plot

import (
	"harelab/loadgen/run"
	"harelab/reports/arms"
)

// classPaint returns a class's colour. The first colour is for the focus of the
// report, or for the only class.
func classPaint(in *arms.Set, name string) Paint {
	i := 0
	if in.Focus == "" && len(in.Classes()) > 1 {
		i = 1
	}
	for _, c := range in.Classes() {
		if c == name {
			break
		}
		i++
	}
	return classPaints[min(i, len(classPaints)-1)]
}

// classIndex returns the number of a class in a result, -1 if it has none of
// that name.
func classIndex(r *run.Result, name string) int32 {
	for i, c := range r.Classes {
		if c == name {
			return int32(i)
		}
	}
	return -1
}

// length returns the length of the longest run that is drawn, in seconds.
func length(in *arms.Set) float64 {
	var longest int64
	for _, r := range in.Runs {
		for i := range r.Result.Messages {
			longest = max(longest, r.Result.Messages[i].Done)
		}
		for _, s := range r.Result.Spans {
			longest = max(longest, s.End)
		}
	}
	return float64(longest) / 1e6
}
