package scenarios

import (
	"sort"

	"harelab/engine/nearest"
)

// choices returns what would have been right instead of got, for the end of a
// message.
func choices(got string, have []string) string { return nearest.Choices(got, have) }

// sortedKeys returns the keys of m in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
