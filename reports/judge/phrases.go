package judge

import "harelab/scenarios/metric"

// A phrase says one figure in words. In its texts {who} stands for the messages as a
// plural, {one} for one of them, {for} for " for {who}" if labels choose the messages,
// {p} for a percentile, and {v} for the value.
type phrase struct {
	say   string // a clause with the value
	label string // names the figure beside its value, in cards and heads of columns
	zero  string // say for a value of 0; empty: say as it is
	// A value within say may have a preposition that goes with it. For 0 it is
	// replaced: "within {v}" becomes "at once".
	with, none string
}

// times are the phrases of the statistics of each metric that is a distribution.
// Statistics that are not here have those of [spread].
var times = map[string]map[string]phrase{
	"wait": {
		"p":    {say: "{p} % of {who} start within {v}", label: "{p} % of {who} start within", with: "within ", none: "at once"},
		"max":  {say: "the longest wait of {who} is {v}", label: "longest wait of {who}", zero: "all {who} start at once"},
		"mean": {say: "the mean wait of {who} is {v}", label: "mean wait of {who}", zero: "all {who} start at once"},
	},
	"queued": {
		"p": {say: "{p} % of {who} leave the queue within {v}", label: "{p} % of {who} leave the queue within", with: "within ", none: "at once"},
	},
	"held": {
		"p":    {say: "{p} % of {who} start within {v} of being received", label: "{p} % of {who} start within this time of being received"},
		"max":  {say: "the longest time that a worker holds {who} is {v}", label: "longest time that a worker holds {who}", zero: "no worker holds {who} before it starts them"},
		"mean": {say: "the mean time that a worker holds {who} is {v}", label: "mean time that a worker holds {who}", zero: "no worker holds {who} before it starts them"},
	},
	"sojourn": {
		"p": {say: "{p} % of {who} are done within {v}", label: "{p} % of {who} are done within", with: "within "},
	},
	"service": {
		"p": {say: "{p} % of {who} take {v} of work at most", label: "{p} % of {who} take at most this time of work"},
	},
	"slowdown": {
		"p": {say: "{p} % of {who} take at most {v} their service time", label: "{p} % of {who} take at most this multiple of their service time"},
	},
	"confirm": {
		"p": {say: "{p} % of {who} are confirmed within {v}", label: "{p} % of {who} are confirmed within", with: "within ", none: "at once"},
	},
	"schedule_lag": {
		"p": {say: "{p} % of {who} are sent at most {v} late", label: "{p} % of {who} are sent at most this late", zero: "{p} % of {who} are sent on time"},
	},
	"transit": {
		"p": {say: "{p} % of {who} reach a worker within {v}", label: "{p} % of {who} reach a worker within", with: "within ", none: "at once"},
	},
	"ready": {
		"p":    {say: "for {p} % of the time at most {v} {who} are in queues", label: "{who} in queues, for {p} % of the time at most"},
		"max":  {say: "at most {v} {who} are in queues at a time", label: "most {who} in queues at a time", zero: "no {one} is ever left in a queue"},
		"mean": {say: "on average {v} {who} are in queues", label: "mean number of {who} in queues"},
		"min":  {say: "at least {v} {who} are in queues at all times", label: "fewest {who} in queues at a time"},
	},
	"unacked": {
		"p":    {say: "for {p} % of the time at most {v} {who} are unacked", label: "unacked {who}, for {p} % of the time at most"},
		"max":  {say: "at most {v} {who} are unacked at a time", label: "most unacked {who} at a time"},
		"mean": {say: "on average {v} {who} are unacked", label: "mean number of unacked {who}"},
		"min":  {say: "at least {v} {who} are unacked at all times", label: "fewest unacked {who} at a time"},
	},
}

// nouns name each distribution for the phrases of [spread].
var nouns = map[string]string{
	"wait": "wait", "queued": "time in the queue", "held": "time from receipt to start", "sojourn": "time from sending to done",
	"service": "work time", "slowdown": "slowdown", "confirm": "time to the confirm", "schedule_lag": "lateness of sending",
	"transit": "time from sent to received", "ready": "number in queues", "unacked": "number unacked",
}

// spread are the phrases of statistics for which a metric has none of its own; {noun}
// is the metric's.
var spread = map[string]phrase{
	"p":    {say: "the {p} % point of the {noun} of {who} is {v}", label: "{noun} of {who}, {p} % point"},
	"max":  {say: "the longest {noun} of {who} is {v}", label: "longest {noun} of {who}"},
	"mean": {say: "the mean {noun} of {who} is {v}", label: "mean {noun} of {who}"},
	"min":  {say: "the shortest {noun} of {who} is {v}", label: "shortest {noun} of {who}"},
	"sd":   {say: "the standard deviation of the {noun} of {who} is {v}", label: "standard deviation of the {noun} of {who}"},
	"n":    {say: "the number of {who} with a {noun} is {v}", label: "number of {who} with a {noun}"},
}

// numbers are the phrases of the metrics that are one number.
var numbers = map[string]phrase{
	"acked":              {say: "{v} {who} are acknowledged", label: "{who} acknowledged", zero: "no {one} is acknowledged"},
	"amplification":      {say: "{who} are delivered {v} each on average", label: "deliveries each of {who}"},
	"confirmed":          {say: "{v} {who} are confirmed", label: "{who} confirmed", zero: "no {one} is confirmed"},
	"dead_lettered":      {say: "{v} {who} are dead-lettered", label: "{who} dead-lettered", zero: "no {one} is dead-lettered"},
	"delivered":          {say: "the number of deliveries of {who} is {v}", label: "deliveries of {who}"},
	"delivery_limited":   {say: "{v} {who} are discarded after too many deliveries", label: "{who} discarded after too many deliveries", zero: "no {one} is discarded after too many deliveries"},
	"dropped":            {say: "{v} {who} are dropped", label: "{who} dropped", zero: "no {one} is dropped"},
	"duplicated":         {say: "{v} {who} are worked on twice", label: "{who} worked on twice", zero: "no {one} is worked on twice"},
	"expired":            {say: "{v} {who} expire", label: "{who} expired", zero: "no {one} expires"},
	"finish":             {say: "the last {one} is done after {v}", label: "time until the last {one} is done"},
	"finished":           {say: "{v} {who} are finished", label: "{who} finished", zero: "no {one} is finished"},
	"idle_while_waiting": {say: "for {v} slots are idle while {who} wait", label: "time of idle slots while {who} wait", zero: "no slot is idle while {who} wait"},
	"jain.busy":          {say: "Jain's index of the workers' busy time{for} is {v}", label: "Jain's index of the workers' busy time{for}"},
	"jain.share":         {say: "Jain's index of the tenants' shares{for} is {v}", label: "Jain's index of the tenants' shares{for}"},

	"left":             {say: "{v} {who} are not served", label: "{who} not served", zero: "every {one} is served"},
	"lost":             {say: "{v} {who} are lost", label: "{who} lost", zero: "no {one} is lost"},
	"makespan":         {say: "the last {one} is done after {v}", label: "time until the last {one} is done"},
	"offered_slots":    {say: "the load needs {v} busy slots{for}", label: "busy slots that the load needs{for}"},
	"order.inversions": {say: "{v} {who} are delivered out of order", label: "{who} delivered out of order", zero: "no {one} is delivered out of order"},
	"published":        {say: "{v} {who} are published", label: "{who} published", zero: "no {one} is published"},
	"redelivered":      {say: "the number of redeliveries of {who} is {v}", label: "redeliveries of {who}", zero: "no {one} is redelivered"},
	"refused":          {say: "the broker refuses {v} {who}", label: "{who} refused by the broker", zero: "the broker refuses no {one}"},
	"rejected":         {say: "workers reject {v} {who}", label: "{who} rejected by workers", zero: "workers reject no {one}"},
	"returned":         {say: "the broker returns {v} {who}", label: "{who} returned by the broker", zero: "the broker returns no {one}"},
	"slots":            {say: "{v} slots are there{for}", label: "slots that are there{for}"},
	"starvation":       {say: "for {v} no {one} starts", label: "longest time in which no {one} starts", zero: "no {one} starves"},
	"stuck":            {say: "{v} {who} are held by a worker that is busy with something else", label: "{who} held by a worker that is busy with something else", zero: "no {one} is held by a worker that is busy with something else"},
	"throughput":       {say: "{who} are done at a rate of {v}", label: "rate at which {who} are done"},
	"unroutable":       {say: "{v} {who} match no queue", label: "{who} that match no queue", zero: "every {one} matches a queue"},
	"unserved":         {say: "{v} {who} are not served", label: "{who} not served", zero: "every {one} is served"},
	"utilisation":      {say: "slots are busy {v} of the time{for}", label: "slots busy{for}"},
}

// phraseOf returns the phrase of a query. Every query of package metric has one.
func phraseOf(q metric.Query) (p phrase, noun, percentile string) {
	if !q.Def().Distribution() {
		return numbers[q.Metric], "", ""
	}
	stat := q.Stat
	if _, ok := metric.Percentile(stat); ok {
		stat, percentile = "p", stat[1:]
	}
	if percentile == "100" {
		stat = "max"
	}
	p, ok := times[q.Metric][stat]
	if !ok {
		p = spread[stat]
	}
	return p, nouns[q.Metric], percentile
}
