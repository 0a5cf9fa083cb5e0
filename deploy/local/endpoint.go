package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/firedrill/firedrill/shared/drill"
)

// liveEndpoint is where a service is called with --live: FIREDRILL_ENDPOINT_FIS, _AHAS, _OOS or _CFG for private endpoints and tests,
// "" for the vendor's own.
func liveEndpoint(name drill.Service) (string, error) {
	variable := "FIREDRILL_ENDPOINT_" + strings.ToUpper(string(name))
	v := os.Getenv(variable)
	if v == "" {
		return "", nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New(variable + ": write a URL such as https://host:port")
	}
	if u.Scheme == "http" && !loopback(u.Host) {
		return "", fmt.Errorf("%s: use https; http is for this machine alone", variable)
	}
	return v, nil
}
