// Package pages holds rows that are addressed by a dense index, in pages, so that growth
// never copies a long table. The first page starts small, so that a short table is small.
package pages

const (
	shift = 8
	rows  = 1 << shift // rows of a page
	first = 8          // rows of the first page, before it grows
	keep  = 4          // pages that Trim leaves
)

// A Table is a list of pages of rows of type T. The zero Table is empty. It is not safe
// for concurrent use.
type Table[T any] struct{ pages [][]T }

// At returns the row with index i, which Grow must have made. The row stays where it is
// until the next Grow or Trim.
func (t *Table[T]) At(i uint32) *T { return &t.pages[i>>shift][i&(rows-1)] }

// Grow makes the rows up to index i, if they are not there, and returns that row. New
// rows are zero. Rows of the first page move when it grows.
func (t *Table[T]) Grow(i uint32) *T {
	page := int(i >> shift)
	for page >= len(t.pages) {
		if len(t.pages) == 0 {
			t.pages = append(t.pages, make([]T, first))
			continue
		}
		t.fill(0)
		t.pages = append(t.pages, make([]T, rows))
	}
	if n := int(i & (rows - 1)); n >= len(t.pages[page]) {
		t.fill(n + 1)
	}
	return t.At(i)
}

// fill gives the first page at least n rows, in steps of four times as many, or all that
// a page can have if n is 0.
func (t *Table[T]) fill(n int) {
	size := len(t.pages[0])
	for size < rows && (n == 0 || size < n) {
		size = min(4*size, rows)
	}
	if size > len(t.pages[0]) {
		larger := make([]T, size)
		copy(larger, t.pages[0])
		t.pages[0] = larger
	}
}

// Each calls f for each row that was made, in order of the index.
func (t *Table[T]) Each(f func(i uint32, row *T)) {
	for p, page := range t.pages {
		for i := range page {
			f(uint32(p<<shift+i), &page[i])
		}
	}
}

// Trim releases the memory of all pages but a few. The caller calls it when it needs no
// row any more.
func (t *Table[T]) Trim() {
	if len(t.pages) > keep {
		t.pages = append(make([][]T, 0, keep), t.pages[:keep]...)
	}
}
