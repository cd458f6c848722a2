package arms

import (
	"slices"
	"strings"

	"harelab/reports/stat"
)

// identities say what an arm is, from the most to the least exact. Two arms of two sides
// are the same thing if they share an identity with no other arm of their sides that has
// no partner yet: first those on the very same broker, then those on another address, then
// those on another version, and last those with other settings.
var identities = []func(*stat.Summary) [4]string{
	func(s *stat.Summary) [4]string {
		return [4]string{s.Arm, settings(s), address(s.Target), s.Target.Kind}
	},
	func(s *stat.Summary) [4]string {
		return [4]string{s.Arm, settings(s), s.Target.Name(), s.Target.Kind}
	},
	func(s *stat.Summary) [4]string { return [4]string{s.Arm, settings(s), s.Target.Product, s.Target.Kind} },
	func(s *stat.Summary) [4]string { return [4]string{s.Arm, settings(s), "", s.Target.Kind} },
	func(s *stat.Summary) [4]string { return [4]string{s.Arm, "", "", s.Target.Kind} },
}

// Align groups the runs of each side into arms, so that an arm has the same name on all
// sides that have it, and no other arm has this name. The first side is the base: the arms
// of the others are paired with its arms by what they are, whatever the number of arms. If
// each side has one arm, these are one thing, whatever they are.
func Align(sides ...[]*stat.Summary) [][]*Arm {
	var out [][]*Arm
	var all []*Arm
	for _, ss := range sides {
		of := Group(OfSummaries(ss))
		out, all = append(out, of), append(all, of...)
	}
	base := out[0]
	alone := !slices.ContainsFunc(out, func(of []*Arm) bool { return len(of) != 1 })
	things := make([][]*Arm, len(base)) // the arms that are one thing, the base's first
	for i, a := range base {
		things[i] = []*Arm{a}
	}
	for _, of := range out[1:] {
		partner := pair(base, of)
		for i, a := range of {
			switch j := partner[i]; {
			case alone:
				things[0] = append(things[0], a)
			case j >= 0:
				things[j] = append(things[j], a)
			default:
				things = join(things, len(base), a)
			}
		}
	}
	targets := targetNames(all, stat.Target.Name, address)
	names := distinct(things,
		func(of []*Arm) string { return named(of, targets, false) },
		func(of []*Arm) string { return named(of, targets, true) })
	for i, of := range things {
		for _, a := range of {
			a.Name = names[i]
		}
	}
	return out
}

// pair returns for each arm of others the index of the base's arm that it is, or -1.
func pair(base, others []*Arm) []int {
	out := make([]int, len(others))
	for i := range out {
		out[i] = -1
	}
	taken := make([]bool, len(base))
	for _, identity := range identities {
		from, to := make(map[[4]string][]int), make(map[[4]string][]int)
		for i, a := range base {
			if k := identity(a.First().Summary); !taken[i] {
				from[k] = append(from[k], i)
			}
		}
		for i, a := range others {
			if k := identity(a.First().Summary); out[i] < 0 {
				to[k] = append(to[k], i)
			}
		}
		for k, there := range to {
			if len(there) == 1 && len(from[k]) == 1 {
				out[there[0]], taken[from[k][0]] = from[k][0], true
			}
		}
	}
	return out
}

// join adds an arm that the base lacks to things, whose first arms from index n on the base
// lacks too.
func join(things [][]*Arm, n int, a *Arm) [][]*Arm {
	for i := n; i < len(things); i++ {
		if keyOf(things[i][0].First()) == keyOf(a.First()) {
			things[i] = append(things[i], a)
			return things
		}
	}
	return append(things, []*Arm{a})
}

// named names arms that are one thing: by one name if they share it, else those of the
// new sides against that of the base. The names have the settings if full, or if these are
// what tells the arms from each other.
func named(of []*Arm, targets map[stat.Target]string, full bool) string {
	first := of[0].First().Summary
	full = full || slices.ContainsFunc(of, func(a *Arm) bool {
		s := a.First().Summary
		return s.Arm == first.Arm && s.Target.Kind == first.Target.Kind && settings(s) != settings(first)
	})
	var names []string
	for _, a := range of {
		s := a.First().Summary
		name := s.Arm
		if full {
			name += " (" + settings(s) + ")"
		}
		if name += " on " + targets[s.Target]; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[1:], " and ") + " against " + names[0]
}

// Missing names the arms of some runs that the others do not have.
func Missing(runs, others []*stat.Summary) []string {
	sides := Align(runs, others)
	var out []string
	for _, a := range sides[0] {
		if !slices.ContainsFunc(sides[1], func(b *Arm) bool { return b.Name == a.Name }) {
			out = append(out, a.Name)
		}
	}
	return out
}
