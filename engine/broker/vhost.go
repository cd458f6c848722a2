package broker

// A VHost is a virtual host: a name space of exchanges and queues.
type VHost struct {
	name string
}

// Name returns the virtual host's name.
func (v *VHost) Name() string { return v.name }
