package terminal

import (
	"io"

	"harelab/reports/stat"
)

// WriteOverloads says what the capacity of a run's workers cannot serve, in lines that
// begin with indent; nothing if there is no overload.
func WriteOverloads(w io.Writer, overloads []string, indent string) error {
	for _, o := range overloads {
		if err := WriteText(w, Bad, indent+"OVERLOADED: ", indent+"  ", o); err != nil {
			return err
		}
	}
	return nil
}

func writeCapacity(w io.Writer, s *stat.Summary) error {
	return WriteOverloads(w, stat.Overloads(s.Capacity), "  ")
}
