// Package nearest writes the end of an error about an unknown name: it suggests the name
// that was probably meant and lists the known ones.
//
// Every package may import it, so that all names that users type are corrected by the
// same rule and in the same words.
package nearest

import (
	"slices"
	"strings"
)

// maxListed is the largest number of names that an error lists.
const maxListed = 40

// longest is the largest length in bytes of words that are compared: longer ones are no
// names, and the cost of a comparison is the product of the lengths.
const longest = 64

// Choices returns the end of an error about got, which is not in have, for example
// `: did you mean "prefetch"? (have dispatch, order, prefetch)`. It suggests nothing if
// no name is near, and lists only the first names of a long list.
func Choices(got string, have []string) string {
	if len(have) == 0 {
		return " (have none)"
	}
	listed := have
	if len(listed) > maxListed {
		listed = append(slices.Clone(have[:maxListed]), "...")
	}
	return Hint(got, have) + " (have " + strings.Join(listed, ", ") + ")"
}

// Hint is Choices without the list: `: did you mean "prefetch"?`, or "" if no name is
// near.
func Hint(got string, have []string) string {
	if best := Of(got, have); best != "" {
		return `: did you mean "` + best + `"?`
	}
	return ""
}

// Of returns the name in have that the user probably meant by got, or "" if none is near:
// the first name that got abbreviates, else the first of those with the fewest slips. A
// slip is a byte too many, too few, or wrong, or two neighbours swapped. At most a third
// of the bytes may be slips; case does not count.
func Of(got string, have []string) string {
	if len(got) > longest {
		return ""
	}
	got = strings.ToLower(got)
	best, fewest := "", 1+(len(got)+1)/3
	for _, h := range have {
		if len(h) > longest {
			continue
		}
		name := strings.ToLower(h)
		slips := distance(got, name)
		if len(got) > 1 && strings.HasPrefix(name, got) {
			slips = 0
		}
		if slips < fewest {
			best, fewest = h, slips
		}
	}
	return best
}

// distance returns the number of slips from a to b: the optimal string alignment
// distance over bytes.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := 1
			if a[i-1] == b[j-1] {
				replace = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
