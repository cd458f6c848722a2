package workload

import (
	"fmt"
	"math/rand/v2"

	"harelab/engine/topic"
)

// iotMetrics are the metrics that each device sends.
var iotMetrics = []string{"temp", "humidity", "power", "state", "alarm", "uptime", "signal", "firmware"}

const (
	iotDevices = 100 // devices of a site
	iotRegions = 10
	iotKeys    = 400_000
)

// IoT returns a workload of n bindings, a multiple of 100, for fleets of devices whose
// routing keys are region.site.device.metric. Of each 100 bindings, one matches a whole
// site, two match a metric of all devices of a site in any region, 20 match all metrics
// of a device, and 77 are literal.
func IoT(n int) *Workload {
	rng := newRand(4)
	f := fleet{rng: rng, sites: n / 100}
	w := &Workload{Name: "iot"}
	seen := make(map[string]bool)
	for len(w.Bindings) < n {
		var key string
		switch i := len(w.Bindings); {
		case i < f.sites:
			key = f.region(i) + "." + f.site(i) + ".#"
		case i < 3*f.sites:
			key = "*." + f.site(rng.IntN(f.sites)) + ".*." + pick(rng, iotMetrics)
		case i < 23*f.sites:
			site := rng.IntN(f.sites)
			key = f.region(site) + "." + f.site(site) + "." + f.device() + ".*"
		default:
			key = f.routingKey()
		}
		if !seen[key] {
			seen[key] = true
			w.Bindings = append(w.Bindings, Binding{key, topic.Dest(len(w.Bindings))})
		}
	}
	for range iotKeys {
		w.Keys = append(w.Keys, []byte(f.routingKey()))
	}
	return w
}

// A fleet has devices on sites in regions.
type fleet struct {
	rng   *rand.Rand
	sites int
}

func (f *fleet) region(site int) string { return fmt.Sprintf("region%d", site%iotRegions) }
func (f *fleet) site(site int) string   { return fmt.Sprintf("site%d", site) }
func (f *fleet) device() string         { return fmt.Sprintf("d%02d", f.rng.IntN(iotDevices)) }

func (f *fleet) routingKey() string {
	site := f.rng.IntN(f.sites)
	return f.region(site) + "." + f.site(site) + "." + f.device() + "." + pick(f.rng, iotMetrics)
}
