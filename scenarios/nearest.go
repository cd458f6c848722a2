package scenarios

import (
	"slices"
	"sort"
	"strings"
)

// maxListed is how many names a message lists.
const maxListed = 40

// choices returns what would have been right instead of got, for the end of a
// message: `: did you mean "count"? (have count, name)`.
func choices(got string, have []string) string {
	if len(have) == 0 {
		return " (have none)"
	}
	shown := have
	if len(shown) > maxListed {
		shown = append(slices.Clone(have[:maxListed]), "...")
	}
	list := " (have " + strings.Join(shown, ", ") + ")"
	best, distance := "", 1+len(got)/2
	for _, h := range have {
		if len(got) > 1 && strings.HasPrefix(h, got) {
			best, distance = h, 0
		}
		if d := editDistance(got, h); d < distance {
			best, distance = h, d
		}
	}
	if best == "" {
		return list
	}
	return ": did you mean \"" + best + "\"?" + list
}

// editDistance counts the bytes to insert, delete or replace to get from a to b.
// Words longer than any name of the format are far from all of them.
func editDistance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// sortedKeys returns the keys of m in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
