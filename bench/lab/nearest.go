package lab

import "strings"

// DidYouMean returns the end of a complaint about a word that is none of have:
// the one that was probably meant, as `, did you mean "prefetch"?`, and
// nothing when none is near.
func DidYouMean(got string, have []string) string {
	best, distance := "", 1+len(got)/3
	for _, h := range have {
		if d := editDistance(got, h); d < distance || len(got) > 2 && best == "" && strings.HasPrefix(h, got) {
			best, distance = h, d
		}
	}
	if best == "" {
		return ""
	}
	return `, did you mean "` + best + `"?`
}

// editDistance counts the bytes to insert, delete, replace or swap with their
// neighbour to get from a to b. Words that are no names are far from all.
func editDistance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
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
