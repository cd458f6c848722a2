package scenarios

// A Dist is a distribution of times (in microseconds) or sizes (in bytes). The
// zero Dist is the constant 0.
type Dist struct {
	Kind   string    // fixed, uniform, exponential, erlang, gamma, lognormal, weibull, pareto, bimodal, empirical
	Params []float64 // in the order of the kind's parameters
	Modes  []Mode    // bimodal
	Values []float64 // empirical, ascending
	Max    float64   // values above are cut to it, 0 is no limit
}

// A Mode is one of a bimodal distribution's values.
type Mode struct{ P, Value float64 }
