//go:build race

package topictest

const raceEnabled = true
