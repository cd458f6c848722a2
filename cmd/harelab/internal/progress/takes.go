package progress

import (
	"fmt"
	"strings"
	"time"

	"harelab/bench/lab"
)

// long is the shortest time for which arms are announced.
const long = 2 * time.Minute

// announcement returns the time that arms of one target will take on a real clock, at
// most parallel of them at a time, and the names of the long ones. It is empty in virtual
// time and if the arms take a short time.
func announcement(arms []lab.Arm, parallel int) string {
	if len(arms) == 0 || arms[0].Target.Kind == lab.Sim {
		return ""
	}
	if arms[0].Target.Kind == lab.AMQP {
		parallel = 1
	}
	var total, longest time.Duration
	var slow []string
	for _, a := range arms {
		d := a.AtLeast()
		total += d
		longest = max(longest, d)
		if d >= long {
			slow = append(slow, fmt.Sprintf("%s %s", a.Name(), roughly(d)))
		}
	}
	total = max(total/time.Duration(max(1, parallel)), longest)
	if total < long {
		return ""
	}
	text := fmt.Sprintf("%s: %d arms take %s or more on the real clock (--target sim takes seconds; Ctrl-C keeps what is done)", arms[0].Target, len(arms), roughly(total))
	if len(arms) == 1 {
		text = strings.Replace(text, "1 arms take", "1 arm takes", 1)
	}
	if len(slow) > 0 && len(arms) > 1 {
		text += "\n  of that " + strings.Join(slow, ", ")
	}
	return text
}

// roughly writes a duration in a rounded form.
func roughly(d time.Duration) string {
	switch {
	case d < time.Second:
		return "a second"
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}
