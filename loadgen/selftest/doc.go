// Package selftest holds the lab to yardsticks that do not depend on it.
//
// [RunAnswers] runs a file of known answers: scenarios with the exact outcome of
// every message, computed by a simulator that shares no code with harelab. It runs
// each on harelab's own broker in virtual time and compares everything.
//
// [RunClosedForms] needs no file. It runs the models that queueing theory has
// formulas for (M/M/1, M/M/c, M/G/1, D/M/1, ...) and says how far the runs are from
// them, in standard errors. Little's law is checked on the way, as an identity
// between integers.
//
// Times are int64 microseconds.
package selftest
