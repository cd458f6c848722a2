package sweep

import (
	"errors"
	"io/fs"
	"os"

	"harelab/reports/arms"
	"harelab/reports/folder"
)

// extremesName is the folder in a sweep's folder with the runs of the best and the
// worst cell. It is a results folder, from which their lanes are drawn again.
const extremesName = "extremes"

// writeExtremes writes the runs to dir. It replaces those that an unfinished sweep left
// there.
func (s *Sweep) writeExtremes(dir string) error {
	if err := os.RemoveAll(dir); err != nil || len(s.Extremes) == 0 {
		return err
	}
	return folder.New(s.Extremes, folder.NewManifest(s.Command)).Write(dir)
}

// readExtremes reads the runs back, best first. A sweep on a real clock has none.
func readExtremes(dir string) ([]*arms.Run, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	f, err := folder.Read(dir)
	if err != nil {
		return nil, err
	}
	var out []*arms.Run
	for _, r := range f.Runs {
		out = append(out, r.Run)
	}
	return out, nil
}
