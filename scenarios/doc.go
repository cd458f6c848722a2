// Package scenarios holds the scenario format of the lab and the scenarios
// that ship with it.
//
// A scenario is a YAML file: a topology, the classes of messages that are
// published to it, the load, the workers that consume it, what goes wrong on
// the way, and what is expected to come out. [Load] reads one, by the name of a
// shipped scenario or by path, and refuses whatever it does not understand with
// the file, the line and what would have been right. [File.Resolve] settles
// everything that was left open (parameters, expressions, variants, counts,
// generated bindings) and returns a [Scenario] in which every value is concrete
// and typed. Resolving is a pure function of the file, the options and the seed.
//
// Conventions of the format:
//
//	=expr      an expression over params, wherever a value stands: =rho*workers/5ms
//	{i}        in a repeated entry (count: n), the index from 0; also {i+1}, {i%64}
//	{name}     in publish.key and headers, a value drawn per message from keys
//	units      10s 100ms, 512B 2KiB, 300/s, 15%; a bare number where a unit is due is an error
//	when:      an expression; an entry whose condition is false is left out
//	variants:  set params, title, description, report; an expect.that replaces the
//	           scenario's list, while the tolerance stays unless given anew
//
// Package scenarios knows nothing of brokers, clocks or how a run is made.
package scenarios
