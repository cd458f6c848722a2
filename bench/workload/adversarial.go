package workload

import "strings"

// Adversarial returns 200 binding keys with the given number of '#', each two
// with a letter of eight between them, and routing keys of the given number of
// one-letter words, at most 128. Every word can be taken by any '#', so the ways
// to match multiply. Three keys of five use four letters only: fewer binding
// keys match and a walk that backtracks finds out late.
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
		if key := b.String(); !seen[key] || hashes < 4 { // there are not 200 different ones
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
