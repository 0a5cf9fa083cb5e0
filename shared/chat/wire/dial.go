package wire

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

const (
	dialTimeout = 3 * time.Second
	sendTimeout = 10 * time.Second
)

// errPrivate says that a host's address is one that only insiders should reach.
var errPrivate = errors.New("the host's address is private, local or a cloud's metadata service; messages are sent to public addresses only")

// client returns an HTTP client that follows no redirect, uses no proxy, and looks at every address after the name was
// resolved and before it connects: a name that resolves to an inside address gets no connection.
func client(loopback bool) *http.Client {
	d := &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("address to dial: %w", err)
		}
		if !allowed(ap.Addr(), loopback) {
			return errPrivate
		}
		return nil
	}}
	return &http.Client{
		Timeout:       sendTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            d.DialContext,
			TLSHandshakeTimeout:    dialTimeout,
			ResponseHeaderTimeout:  sendTimeout,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns:           16,
			IdleConnTimeout:        30 * time.Second,
			ForceAttemptHTTP2:      true,
		},
	}
}

// reserved lists what netip's own predicates leave out.
func reserved() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("100.64.0.0/10"), // carrier NAT; Alibaba's metadata service is 100.100.100.200
		netip.MustParsePrefix("192.0.0.0/24"),  // protocol assignments
		netip.MustParsePrefix("198.18.0.0/15"), // benchmarks
		netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("64:ff9b::/96"),   // NAT64: holds an IPv4 address
		netip.MustParsePrefix("64:ff9b:1::/48"), // the same, local
		netip.MustParsePrefix("2002::/16"),      // 6to4: the same
		netip.MustParsePrefix("2001::/32"),      // Teredo: the same
		netip.MustParsePrefix("::/96"),          // IPv4-compatible: the same
		netip.MustParsePrefix("fec0::/10"),      // site-local
	}
}

// allowed reports whether a message may be sent to the address.
func allowed(ip netip.Addr, loopback bool) bool {
	ip = ip.Unmap().WithZone("")
	if ip.IsLoopback() {
		return loopback
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range reserved() {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}
