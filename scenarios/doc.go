// Package scenarios holds the scenario format of the lab and the scenarios
// that ship with it.
//
// A scenario is a YAML file: a topology, the classes of messages that are
// published to it, the load, the workers that consume it, faults, and expectations
// of the result. [Load] reads a shipped scenario by name or a file by path, and
// refuses a mistake with the file, the line and the right values. [File.Resolve]
// evaluates everything that the file leaves open (parameters, expressions, variants,
// counts, generated bindings) and returns a [Scenario] in which every value is
// concrete and typed. Resolve is a pure function of the file, the options and the
// seed.
//
// Conventions of the format:
//
//	=expr      an expression over params, in place of any value: =rho*workers/5ms
//	{i}        in a repeated entry (count: n), the index from 0; also {i+1}, {i%64}
//	{name}     in publish.key and headers, a value drawn per message from keys
//	units      10s 100ms, 512B 2KiB, 300/s, 15%; a time, size or rate without a unit is an error
//	when:      an expression; an entry whose condition is false is left out
//	dependencies: what workers call to do their work (calls: NAME): see Dependency
//	in_step:   true: sequences of one constant rate publish at the same instants; else
//	           they are spread evenly within the period
//	traces:    a CSV file with the columns at, class and, if wanted, exchange, routing_key,
//	           size and service, or the messages.csv of a run; at counts from the start
//	           of the phase, or since 1970 in s, ms, us or ns (the first row is the
//	           start then, and the run says so), or is a date with its time
//	variants:  set params, title, description, report; an expect.that replaces the
//	           scenario's list, while the tolerance stays unless the variant sets it
//
// Package scenarios knows nothing of brokers, clocks or runs.
package scenarios
