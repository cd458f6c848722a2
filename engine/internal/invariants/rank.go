package invariants

// A Rank is a class of locks. A goroutine takes locks in rising order of their ranks, and
// never two of the same rank, so that no two goroutines wait for each other.
type Rank uint8

// The ranks, in the order in which locks are taken.
const (
	Connection  Rank = 1 + iota // the work of one client's connection
	Broker                      // the list of virtual hosts
	Policies                    // changes of policies
	VirtualHost                 // declarations
	Rounds                      // work that waits for the store
	Queue                       // messages and consumers of one queue
	Channel                     // unsettled deliveries of one channel
	Outbox                      // frames that wait for a writer
	ranks
)

var rankNames = [ranks]string{"", "connection", "broker", "policies", "virtual host", "rounds", "queue", "channel", "outbox"}

func (r Rank) String() string { return rankNames[r] }
