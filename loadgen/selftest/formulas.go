package selftest

import "math"

// The formulas of queueing theory. Rates are per second, times in seconds.

// mg1Wait is the mean wait of M/G/1 (Pollaczek 1930, Khinchine 1932) for an arrival
// rate and the first two moments of the service time.
func mg1Wait(rate, mean, second float64) float64 {
	return rate * second / (2 * (1 - rate*mean))
}

// erlangC is the probability that an arrival at M/M/c has to wait (Erlang 1917). a is
// the offered load in Erlangs.
func erlangC(c int, a float64) float64 {
	term, sum := 1.0, 0.0 // a^k/k!
	for k := range c {
		sum += term
		term *= a / float64(k+1)
	}
	top := term * float64(c) / (float64(c) - a)
	return top / (sum + top)
}

// mmcWait is the mean wait of M/M/c.
func mmcWait(c int, rate, serviceRate float64) float64 {
	return erlangC(c, rate/serviceRate) / (float64(c)*serviceRate - rate)
}

// gm1Wait is the mean wait of G/M/1 for a Laplace transform of the time between
// arrivals. sigma, the root of sigma = transform(mu(1-sigma)) below 1, is the
// probability of waiting.
func gm1Wait(serviceRate float64, transform func(s float64) float64) (wait, sigma float64) {
	sigma = 0.5
	for range 10_000 {
		next := transform(serviceRate * (1 - sigma))
		if math.Abs(next-sigma) < 1e-15 {
			break
		}
		sigma = next
	}
	return sigma / (serviceRate * (1 - sigma)), sigma
}

// fixedArrivals is the transform of a constant time between arrivals.
func fixedArrivals(rate float64) func(float64) float64 {
	return func(s float64) float64 { return math.Exp(-s / rate) }
}

// erlangArrivals is the transform of Erlang-k times between arrivals at a rate: the
// arrivals at each of k workers that get Poisson arrivals in turn.
func erlangArrivals(k int, rate float64) func(float64) float64 {
	phase := float64(k) * rate
	return func(s float64) float64 { return math.Pow(phase/(phase+s), float64(k)) }
}

// A priorityClass is a class of messages before one worker.
type priorityClass struct {
	rate         float64 // of arrivals
	mean, second float64 // moments of the service time
}

// cobhamWaits are the mean waits of M/G/1 with priorities and without preemption
// (Cobham 1954), best class first.
func cobhamWaits(classes []priorityClass) []float64 {
	residual := 0.0
	for _, c := range classes {
		residual += c.rate * c.second / 2
	}
	waits := make([]float64, len(classes))
	load := 0.0
	for i, c := range classes {
		above := load
		load += c.rate * c.mean
		waits[i] = residual / ((1 - above) * (1 - load))
	}
	return waits
}

// po2Response is the mean response of infinitely many exponential workers of mean
// service 1 when each message goes to the shorter of two random queues
// (Vvedenskaya, Dobrushin, Karpelevich 1996; Mitzenmacher 1996).
func po2Response(load float64) float64 {
	sum := 0.0
	for i := 1; i < 60; i++ {
		sum += math.Pow(load, math.Exp2(float64(i))-2)
	}
	return sum
}
