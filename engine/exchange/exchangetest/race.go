//go:build race

package exchangetest

func init() { raceEnabled = true }
