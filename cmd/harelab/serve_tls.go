package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"harelab/engine"
	"harelab/engine/broker"
	"harelab/engine/certs"
)

const tlsHelp = `With --tls-cert and --tls-key the broker also serves AMQP over TLS, 1.2 or newer, on
--amqps. With --tls-verify peer, a client with a certificate that --tls-ca verifies can
log in with the mechanism EXTERNAL, as the user whom the certificate names. SIGHUP reads
the files again, for connections from then on; files that are broken change nothing.`

// tlsFlags are the flags of serve about who may connect, and over what.
type tlsFlags struct {
	addr, cert, key, ca string
	verify              string
	require             bool
	loginFrom           string
	proxies             []string
	loopback            []string

	proxyFrom []netip.Prefix
	source    *certs.Source // nil: no TLS
}

func (t *tlsFlags) add(f *pflag.FlagSet) {
	f.StringVar(&t.addr, "amqps", "", "address to listen on for AMQP over TLS (default :5671 with --tls-cert)")
	f.StringVar(&t.cert, "tls-cert", "", "PEM file of the certificate, with those of its issuers")
	f.StringVar(&t.key, "tls-key", "", "PEM file of the certificate's key")
	f.StringVar(&t.ca, "tls-ca", "", "PEM file of the certificates that verify those of clients")
	f.StringVar(&t.verify, "tls-verify", "none", "none, or peer to ask clients for a certificate and verify it")
	f.BoolVar(&t.require, "tls-fail-if-no-peer-cert", false, "with --tls-verify peer, refuse clients without a certificate")
	f.StringVar(&t.loginFrom, "tls-login-from", string(certs.FromSubject), "what names the user of a client's certificate: distinguished_name, common_name, or subject_alternative_name:TYPE, of type dns, email, ip or uri")
	f.StringSliceVar(&t.proxies, "proxy-protocol", nil, "networks of proxies, such as 10.0.0.0/8, whose connections begin with a header of the PROXY protocol")
	f.StringSliceVar(&t.loopback, "loopback-users", []string{"guest"}, "users who may log in from this machine only; none: no user")
}

func (t *tlsFlags) fill(o *engine.Options) error {
	var mistakes []error
	from, err := certs.ParseNameFrom(t.loginFrom)
	if err != nil {
		mistakes = append(mistakes, fmt.Errorf("--tls-login-from %q: %w", t.loginFrom, err))
	}
	o.LoginFrom = from
	o.LoopbackUsers = []string{}
	if !slices.Equal(t.loopback, []string{"none"}) {
		o.LoopbackUsers = append(o.LoopbackUsers, t.loopback...)
	}
	for _, text := range t.proxies {
		prefix, err := parsePrefix(text)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("--proxy-protocol %q: give an address or a network, such as 10.0.0.0/8", text))
		}
		t.proxyFrom = append(t.proxyFrom, prefix)
	}
	return errors.Join(append(mistakes, t.fillTLS(o.Logger))...)
}

// fillTLS checks the flags of TLS and reads their files.
func (t *tlsFlags) fillTLS(log *slog.Logger) error {
	if t.cert == "" && t.key == "" {
		for _, f := range []struct{ flag, value string }{{"amqps", t.addr}, {"tls-ca", t.ca}} {
			if f.value != "" {
				return fmt.Errorf("--%s %q: TLS needs --tls-cert and --tls-key", f.flag, f.value)
			}
		}
		return nil
	}
	if t.verify != "none" && t.verify != "peer" {
		return fmt.Errorf("--tls-verify %q: give none or peer", t.verify)
	}
	if t.addr == "" {
		t.addr = ":5671"
	}
	if err := checkAddress("--amqps", t.addr); err != nil {
		return err
	}
	var err error
	t.source, err = certs.Open(certs.Files{
		Cert: t.cert, Key: t.key, CA: t.ca, VerifyPeer: t.verify == "peer", RequirePeer: t.require,
	}, log)
	if err != nil {
		return fmt.Errorf("--tls-cert %q: %w", t.cert, err)
	}
	return nil
}

// parsePrefix reads a network, or an address as the network of this address alone.
func parsePrefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		return netip.PrefixFrom(a, a.BitLen()), err
	}
	return netip.ParsePrefix(text)
}

// interruptible is the function of this name, but with TLS a hangup does not end the
// broker: it means to read the files again.
func (t *tlsFlags) interruptible() (context.Context, context.CancelFunc) {
	if t.source == nil {
		return interruptible()
	}
	return interruptibleBy(false)
}

// plain is the transport of the port without TLS.
func (t *tlsFlags) plain() engine.Transport { return engine.Transport{ProxyFrom: t.proxyFrom} }

// listen serves AMQP over TLS, if it is asked for, until the engine is closed, and reads
// the files again at SIGHUP until ctx is done. It returns the address, nil without TLS.
func (t *tlsFlags) listen(ctx context.Context, e *engine.Engine, log *slog.Logger) (net.Addr, error) {
	if t.source == nil {
		return nil, nil
	}
	addr, err := e.ListenOver(t.addr, engine.Transport{TLS: t.source.Config(), ProxyFrom: t.proxyFrom})
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w (another broker? try --amqps 127.0.0.1:0)", err)
	}
	if err != nil {
		return nil, err
	}
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	go func() {
		defer signal.Stop(again)
		for {
			select {
			case <-ctx.Done():
				return
			case <-again:
				t.reload(log)
			}
		}
	}()
	return addr, nil
}

func (t *tlsFlags) reload(log *slog.Logger) {
	if err := t.source.Reload(); err != nil {
		log.Error("TLS goes on with the files as they were", "error", err)
		return
	}
	log.Log(context.Background(), broker.LevelNotice, "TLS files were read again", "cert", t.cert)
}
