package server

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// watch runs a heartbeat of 10 s while do runs. It returns the times at which the heartbeat
// sent, and the time at which it gave up, if it did, in seconds from the start.
func watch(t *testing.T, do func(h *heartbeat)) (sent []float64, lost float64) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		h := heartbeat{interval: 10 * time.Second}
		h.start(
			func() { sent = append(sent, time.Since(start).Seconds()); h.sawWrite() },
			func() { lost = time.Since(start).Seconds() })
		do(&h)
		synctest.Wait()
		h.stop()
	})
	return sent, lost
}

func TestHeartbeatIsSentTwicePerInterval(t *testing.T) {
	sent, _ := watch(t, func(h *heartbeat) { time.Sleep(16 * time.Second) })
	if want := []float64{5, 10, 15}; !slices.Equal(sent, want) {
		t.Errorf("sent after %v s, want %v", sent, want)
	}
}

func TestHeartbeatIsNotSentBesideTraffic(t *testing.T) {
	sent, _ := watch(t, func(h *heartbeat) {
		for range 12 {
			time.Sleep(time.Second)
			h.sawWrite()
		}
		time.Sleep(6 * time.Second)
	})
	if want := []float64{17}; !slices.Equal(sent, want) {
		t.Errorf("sent after %v s, want %v", sent, want)
	}
}

func TestHeartbeatMissedTwiceIsLost(t *testing.T) {
	if _, lost := watch(t, func(h *heartbeat) { time.Sleep(time.Minute) }); lost != 20 {
		t.Errorf("lost after %v s, want 20", lost)
	}
	_, lost := watch(t, func(h *heartbeat) {
		time.Sleep(19 * time.Second)
		h.sawRead()
		time.Sleep(time.Minute)
	})
	if lost != 39 {
		t.Errorf("lost after %v s with traffic at 19 s, want 39", lost)
	}
}

func TestHeartbeatOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heartbeat
		fail := func() { t.Error("a heartbeat of 0 is not off") }
		h.start(fail, fail)
		time.Sleep(time.Hour)
		h.stop()
	})
}

func TestHeartbeatStops(t *testing.T) {
	sent, lost := watch(t, func(h *heartbeat) {
		time.Sleep(6 * time.Second)
		h.stop()
		time.Sleep(time.Minute)
	})
	if len(sent) != 1 || lost != 0 {
		t.Errorf("sent %v, lost %v after a stop at 6 s", sent, lost)
	}
}
