package workload

import "strings"

// Adversarial returns 200 binding keys with the given number of '#', separated by one of
// eight letters, and routing keys of the given number of one-letter words, at most 128.
// Any '#' can match any word, so the ways to match multiply. Three routing keys of five
// use only four letters: fewer binding keys match them, and a walk that backtracks fails
// late.
func Adversarial(hashes, words int) *Workload {
	const letters = "abcdefgh"
	rng := newRand(5)
	w := &Workload{Name: "adversarial"}
	seen := make(map[string]bool)
	keys := make([]string, 0, 200)
	for len(keys) < 200 {
		var b strings.Builder
		b.WriteByte('#')
		for range hashes - 1 {
			b.WriteString("." + string(letters[rng.IntN(len(letters))]) + ".#")
		}
		if key := b.String(); !seen[key] || hashes < 4 { // with fewer, there are not 200 different keys
			seen[key] = true
			keys = append(keys, key)
		}
	}
	w.Bindings = binds(keys)
	for i := range 200 {
		use := letters
		if i%5 < 3 {
			use = string([]byte{letters[rng.IntN(8)], letters[rng.IntN(8)], letters[rng.IntN(8)], letters[rng.IntN(8)]})
		}
		key := make([]byte, 0, 2*words)
		for range words {
			key = append(key, use[rng.IntN(len(use))], '.')
		}
		w.Keys = append(w.Keys, key[:len(key)-1])
	}
	return w
}
