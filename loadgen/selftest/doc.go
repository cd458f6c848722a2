// Package selftest checks the lab against answers that do not depend on it.
//
// [RunAnswers] checks a file of known answers: scenarios with the exact outcome of
// every message, computed by a simulator that shares no code with harelab. It runs
// each scenario on harelab's own broker in virtual time and compares the whole
// outcome.
//
// [RunClosedForms] needs no file. It runs models for which queueing theory has
// formulas (M/M/1, M/M/c, M/G/1, D/M/1, ...) and prints how far the runs are from
// them, in standard errors. It also checks Little's law, as an identity between
// integers.
//
// Times are int64 microseconds.
package selftest
