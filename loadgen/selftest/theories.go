package selftest

import (
	"fmt"
	"math"
)

// messagesPerModel is the number of messages of each model. At load 0.8 the error of
// a mean wait is then about 2 %.
const messagesPerModel = 200_000

// second is the mean service time of all models, in microseconds.
const second = 1_000_000

// theories lists the models. Each has its own seeds.
func theories() []theory {
	bimodal := serviceSpec{Kind: "choice", Total: 11, Items: []itemSpec{
		{Weight: 10, Class: "short", Service: second / 10},
		{Weight: 1, Class: "long", Service: 10 * second},
	}}
	exponential := serviceSpec{Kind: "exp", Mean: second}
	constant := serviceSpec{Kind: "const", US: second}
	return []theory{
		mm1(1, 0.5, exponential),
		mm1(2, 0.8, exponential),
		md1(3, 0.8, constant),
		mg1(4, 0.5, bimodal),
		dm1(5, 0.8, exponential),
		mmc(6, 2, 0.8, exponential),
		mmc(7, 4, 0.8, exponential),
		oneWorkerOfSlots(8, 4, 0.8, exponential),
		roundRobinPush(9, 4, 0.8, exponential),
		randomPush(10, 4, 0.5, exponential),
		equalPriorities(11, 0.6),
		shortFirst(12, 0.5, bimodal),
		splitBySize(13, 0.7),
		powerOfTwo(14, 100, 0.9, exponential),
	}
}

// poisson is a scenario of one queue with Poisson arrivals at a rate per second, and
// workers of one slot with the given prefetch.
func poisson(seed uint64, rate float64, service serviceSpec, workers, prefetch int) scenario {
	service.Seed = 1000*seed + 2
	s := scenario{
		Queues: []queueSpec{{Name: "q"}},
		Publish: []publishSpec{{Gen: &genSpec{
			N: messagesPerModel, Queue: "q", Service: service,
			Arrival: arrivalSpec{Kind: "exp", Mean: int64(math.Round(second / rate)), Seed: 1000*seed + 1},
		}}},
	}
	for i := range workers {
		s.Workers = append(s.Workers, workerSpec{
			Name:      fmt.Sprintf("w%d", i+1),
			Subscribe: []subscribeSpec{{Queue: "q", Prefetch: prefetch}},
		})
	}
	return s
}

func mm1(seed uint64, load float64, service serviceSpec) theory {
	wait := mg1Wait(load, 1, 2)
	return theory{fmt.Sprintf("M/M/1 load %g", load), poisson(seed, load, service, 1, 1), []quantity{
		{name: "mean wait s", expected: wait, of: waitOf},
		{name: "mean response s", expected: wait + 1, of: responseOf},
		{name: "p99 response s", expected: math.Log(100) / (1 - load), of: responseOf, p99: true},
		{name: "share that waits", expected: load, of: waitedOf},
	}}
}

func md1(seed uint64, load float64, service serviceSpec) theory {
	return theory{fmt.Sprintf("M/D/1 load %g", load), poisson(seed, load, service, 1, 1), []quantity{
		{name: "mean wait s", expected: mg1Wait(load, 1, 1), of: waitOf},
		{name: "share that waits", expected: load, of: waitedOf},
	}}
}

func mg1(seed uint64, load float64, service serviceSpec) theory {
	wait := mg1Wait(load, 1, 9.1)
	return theory{fmt.Sprintf("M/G/1 bimodal load %g", load), poisson(seed, load, service, 1, 1), []quantity{
		{name: "mean wait s", expected: wait, of: waitOf},
		{name: "share that waits", expected: load, of: waitedOf},
		{name: "mean slowdown", expected: 1 + wait*(10.0/11/0.1+1.0/11/10), of: slowdownOf},
	}}
}

func dm1(seed uint64, load float64, service serviceSpec) theory {
	s := poisson(seed, load, service, 1, 1)
	s.Publish[0].Gen.Arrival = arrivalSpec{Kind: "fixed", Every: int64(math.Round(second / load))}
	wait, sigma := gm1Wait(1, fixedArrivals(load))
	return theory{fmt.Sprintf("D/M/1 load %g", load), s, []quantity{
		{name: "mean wait s", expected: wait, of: waitOf},
		{name: "share that waits", expected: sigma, of: waitedOf},
	}}
}

func mmc(seed uint64, c int, load float64, service serviceSpec) theory {
	rate := load * float64(c)
	return theory{fmt.Sprintf("M/M/%d load %g", c, load), poisson(seed, rate, service, c, 1), []quantity{
		{name: "mean wait s", expected: mmcWait(c, rate, 1), of: waitOf},
		{name: "share that waits", expected: erlangC(c, rate), of: waitedOf},
	}}
}

// oneWorkerOfSlots is M/M/c with one worker of c slots and no prefetch limit.
func oneWorkerOfSlots(seed uint64, c int, load float64, service serviceSpec) theory {
	t := mmc(seed, c, load, service)
	t.model = fmt.Sprintf("M/M/%d load %g, one worker", c, load)
	t.scenario = poisson(seed, load*float64(c), service, 1, 0)
	t.scenario.Workers[0].Concurrency = c
	return t
}

// roundRobinPush has c workers without a prefetch limit: each gets every c-th
// message, even if it is busy.
func roundRobinPush(seed uint64, c int, load float64, service serviceSpec) theory {
	wait, sigma := gm1Wait(1, erlangArrivals(c, load))
	return theory{fmt.Sprintf("E%d/M/1 load %g, round-robin push", c, load), poisson(seed, load*float64(c), service, c, 0), []quantity{
		{name: "mean wait s", expected: wait, of: waitOf},
		{name: "share that waits", expected: sigma, of: waitedOf},
	}}
}

func randomPush(seed uint64, c int, load float64, service serviceSpec) theory {
	s := poisson(seed, load*float64(c), service, c, 0)
	s.Queues[0].Dispatch, s.Queues[0].Seed = "random", seed
	return theory{fmt.Sprintf("M/M/1 load %g, random push to %d", load, c), s, []quantity{
		{name: "mean wait s", expected: mg1Wait(load, 1, 2), of: waitOf},
		{name: "share that waits", expected: load, of: waitedOf},
	}}
}

// equalPriorities has two classes that differ only in priority.
func equalPriorities(seed uint64, load float64) theory {
	high := 1
	// A choice cannot draw exponential times, so each class has its own generator.
	s := poisson(seed, load/2, serviceSpec{Kind: "exp", Mean: second}, 1, 1)
	s.Queues[0].Order = "priority"
	low := *s.Publish[0].Gen
	low.N, s.Publish[0].Gen.N = messagesPerModel/2, messagesPerModel/2
	low.Class, s.Publish[0].Gen.Class = "low", "high"
	s.Publish[0].Gen.Priority = high
	low.Arrival.Seed, low.Service.Seed = 1000*seed+3, 1000*seed+4
	s.Publish = append(s.Publish, publishSpec{Gen: &low})
	waits := cobhamWaits([]priorityClass{{load / 2, 1, 2}, {load / 2, 1, 2}})
	return theory{fmt.Sprintf("M/M/1 load %g, two priorities", load), s, []quantity{
		{name: "mean wait s", class: "high", expected: waits[0], of: waitOf},
		{name: "mean wait s", class: "low", expected: waits[1], of: waitOf},
	}}
}

// shortFirst is the bimodal model with the shortest job first.
func shortFirst(seed uint64, load float64, service serviceSpec) theory {
	s := poisson(seed, load, service, 1, 1)
	s.Queues[0].Order = "sjf"
	waits := cobhamWaits([]priorityClass{
		{load * 10 / 11, 0.1, 0.01},
		{load * 1 / 11, 10, 100},
	})
	return theory{fmt.Sprintf("M/G/1 bimodal load %g, short first", load), s, []quantity{
		{name: "mean wait s", class: "short", expected: waits[0], of: waitOf},
		{name: "mean wait s", class: "long", expected: waits[1], of: waitOf},
	}}
}

// splitBySize gives short and long messages a queue and a worker each. The numbers
// of messages make the two loads equal.
func splitBySize(seed uint64, load float64) theory {
	mean := (100*0.1 + 10) / 101
	s := poisson(seed, 2*load/mean, serviceSpec{Kind: "choice", Total: 101, Items: []itemSpec{
		{Weight: 100, Class: "short", Service: second / 10, Queue: "short"},
		{Weight: 1, Class: "long", Service: 10 * second, Queue: "long"},
	}}, 2, 1)
	s.Queues = []queueSpec{{Name: "short"}, {Name: "long"}}
	s.Publish[0].Gen.Queue = "short"
	s.Workers[0].Subscribe[0].Queue = "short"
	s.Workers[1].Subscribe[0].Queue = "long"
	return theory{fmt.Sprintf("2 x M/D/1 load %g, split by size", load), s, []quantity{
		{name: "mean wait s", class: "short", expected: mg1Wait(load/0.1, 0.1, 0.01), of: waitOf},
		{name: "mean wait s", class: "long", expected: mg1Wait(load/10, 10, 100), of: waitOf},
	}}
}

func powerOfTwo(seed uint64, c int, load float64, service serviceSpec) theory {
	s := poisson(seed, load*float64(c), service, c, 0)
	s.Queues[0].Dispatch, s.Queues[0].Seed = "po2", seed
	return theory{fmt.Sprintf("power of two of %d, load %g", c, load), s, []quantity{
		{name: "mean response s", expected: po2Response(load), slack: 0.05, of: responseOf},
	}}
}
