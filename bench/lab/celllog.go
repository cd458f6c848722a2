package lab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// A CellLog is the file of a sweep's finished cells: a heading line, then a line for
// each cell. Each line is one write, so an interrupted sweep loses only the cells that
// are running.
type CellLog struct{ f *os.File }

// A heading is the first line of a cell log. It identifies the sweep: only the same
// sweep can resume it.
type heading struct {
	Schema   string `json:"schema"`
	Scenario string `json:"scenario"`
	Variant  string `json:"variant,omitempty"`
	SHA256   string `json:"scenario_sha256"`
	Axes     []Axis `json:"axes"`
	Goal     string `json:"goal"`
	Target   string `json:"target"`
	Repeat   int    `json:"repeat"`
}

func (s *Sweep) heading() heading {
	return heading{"harelab/sweep/v1", s.Base.Name, s.Base.Variant, s.Base.SHA256, s.Axes, s.Goal, s.Target.String(), s.Repeat}
}

func (h heading) same(o heading) bool {
	return h.Schema == o.Schema && h.Scenario == o.Scenario && h.Variant == o.Variant && h.SHA256 == o.SHA256 &&
		h.Goal == o.Goal && h.Target == o.Target && h.Repeat == o.Repeat &&
		slices.EqualFunc(h.Axes, o.Axes, func(a, b Axis) bool { return a.Name == b.Name && slices.Equal(a.Values, b.Values) })
}

// OpenCellLog makes the cell log of s at path. With resume it opens the existing one and
// returns the cells in it. It drops a last line that was cut off; any other damage is an
// error with its line.
func OpenCellLog(path string, s *Sweep, resume bool) (*CellLog, []Cell, error) {
	if !resume {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return nil, nil, err
		}
		l := &CellLog{f}
		return l, nil, l.write(s.heading())
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, &UsageError{fmt.Sprintf("%s does not exist: there is nothing to resume", path)}
	}
	if err != nil {
		return nil, nil, err
	}
	cells, end, err := readCellLog(f, path, s)
	if err == nil {
		if err = f.Truncate(end); err == nil {
			_, err = f.Seek(end, io.SeekStart)
		}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return &CellLog{f}, cells, nil
}

// readCellLog returns the cells and the offset of the end of the last whole line.
func readCellLog(r io.Reader, path string, s *Sweep) (cells []Cell, end int64, err error) {
	in, points, seen := bufio.NewReader(r), s.cells(), make(map[[2]int]bool)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			if n == 1 {
				return nil, 0, &UsageError{fmt.Sprintf("%s:1: no heading: not the cells of a sweep", path)}
			}
			return cells, end, nil
		}
		if err != nil {
			return nil, 0, err
		}
		end += int64(len(line))
		if n == 1 {
			var h heading
			if err := json.Unmarshal(line, &h); err != nil || !h.same(s.heading()) {
				return nil, 0, &UsageError{fmt.Sprintf("%s is of another sweep: resume with the same scenario, axes, goal, target, seed and repeat", path)}
			}
			continue
		}
		var c Cell
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, 0, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if err := s.owns(c, points); err != nil {
			return nil, 0, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		key := [2]int{c.Index, c.Repeat}
		if seen[key] {
			return nil, 0, fmt.Errorf("%s:%d: cell %d, repeat %d is here twice", path, n, c.Index, c.Repeat)
		}
		seen[key] = true
		cells = append(cells, c)
	}
}

// owns returns an error unless c is one of the cells, which are those of the sweep.
func (s *Sweep) owns(c Cell, cells []Cell) error {
	if len(c.Values) != len(s.Axes) {
		return fmt.Errorf("%d values for %d axes", len(c.Values), len(s.Axes))
	}
	if c.Index < 0 || c.Repeat < 0 || c.Repeat >= s.Repeat || c.Index >= len(cells)/s.Repeat {
		return fmt.Errorf("cell %d, repeat %d: the sweep has %d cells of %d repeats", c.Index, c.Repeat, len(cells)/s.Repeat, s.Repeat)
	}
	if want := cells[c.Index*s.Repeat+c.Repeat]; !slices.Equal(c.Values, want.Values) {
		return fmt.Errorf("cell %d has %s, want %s", c.Index, s.Label(c.Values), s.Label(want.Values))
	}
	return nil
}

// Append writes a finished cell.
func (l *CellLog) Append(c Cell) error { return l.write(c) }

func (l *CellLog) write(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = l.f.Write(append(line, '\n'))
	return err
}

// Settle writes the cells of a finished sweep in the order of the grid and closes the
// log. So a sweep leaves the same bytes in whatever order its cells ran and however
// often it was interrupted.
func (l *CellLog) Settle(s *Sweep, cells []Cell) error {
	path := l.f.Name()
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	settled := &CellLog{f}
	err = settled.write(s.heading())
	for _, c := range inOrder(cells) {
		err = errors.Join(err, settled.write(c))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return errors.Join(l.Close(), os.Rename(f.Name(), path))
}

// Close closes the file.
func (l *CellLog) Close() error { return l.f.Close() }
