package lab

import "harelab/reports/stat"

// An ArmRuns is the runs of one arm of a results folder.
type ArmRuns struct {
	Name      string // scenario, variant and target, as "celery-initial on sim"
	Summaries []*stat.Summary
}

// ByArm groups runs by arm, in order of appearance.
func ByArm(ss []*stat.Summary) []ArmRuns {
	var out []ArmRuns
	at := make(map[string]int)
	for _, s := range ss {
		name := s.Arm + " on " + s.Target.Kind
		i, ok := at[name]
		if !ok {
			i = len(out)
			at[name] = i
			out = append(out, ArmRuns{Name: name})
		}
		out[i].Summaries = append(out[i].Summaries, s)
	}
	return out
}

// MissingArms names the arms of some runs that others lack. One arm on each
// side is a pair whatever its name.
func MissingArms(of, from []*stat.Summary) []string {
	wanted, there := ByArm(of), ByArm(from)
	if len(wanted) == 1 && len(there) == 1 {
		return nil
	}
	have := make(map[string]bool)
	for _, a := range there {
		have[a.Name] = true
	}
	var out []string
	for _, a := range wanted {
		if !have[a.Name] {
			out = append(out, a.Name)
		}
	}
	return out
}
