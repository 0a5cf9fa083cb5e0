// Package place reads the URLs that say where a resource of AWS is: s3://bucket/prefix?region=eu-west-1, eventbridge://bus?region=eu-west-1.
package place

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Place is where a resource is: a bucket, a bus.
type Place struct {
	Host, Path string // of the URL; Path without slashes at its ends
	Region     string
	Endpoint   string            // "" for AWS's own; else a URL such as http://127.0.0.1:5000
	Options    map[string]string // what else stands behind the question mark
}

// Form is what a place's URL looks like.
type Form struct {
	Scheme  string
	Example string   // scheme://name?region=
	Options []string // besides region and endpoint
}

// Parse reads a place. check looks at what only the caller knows; the error lists all that it and Parse found wrong, and shows no value of
// the URL's user part.
func (f Form) Parse(raw string, check func(Place) []error) (Place, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Place{}, errors.New("not a URL; want " + f.Example)
	}
	var wrong []error
	if u.Scheme != f.Scheme {
		wrong = append(wrong, fmt.Errorf("its scheme is %q, want %q", u.Scheme, f.Scheme))
	}
	if u.User != nil {
		wrong = append(wrong, errors.New("it holds a user or a password; credentials come from the environment"))
	}
	if u.Fragment != "" {
		wrong = append(wrong, errors.New("it has a fragment (#)"))
	}
	p := Place{Host: u.Host, Path: strings.Trim(u.Path, "/"), Options: map[string]string{}}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		wrong = append(wrong, errors.New("what follows the question mark cannot be read"))
	}
	for name, values := range query {
		wrong = append(wrong, p.option(f, name, values)...)
	}
	if err := errors.Join(append(wrong, check(p)...)...); err != nil {
		return Place{}, err
	}
	return p, nil
}

func (p *Place) option(f Form, name string, values []string) []error {
	var wrong []error
	if len(values) != 1 {
		wrong = append(wrong, fmt.Errorf("%q is there %d times", name, len(values)))
	}
	switch {
	case name == "region":
		p.Region = values[0]
	case name == "endpoint":
		p.Endpoint = values[0]
	case slices.Contains(f.Options, name):
		p.Options[name] = values[0]
	default:
		known := append([]string{"region", "endpoint"}, f.Options...)
		last := len(known) - 1
		wrong = append(wrong, fmt.Errorf("%q is not known; %s and %s are", name, strings.Join(known[:last], ", "), known[last]))
	}
	return wrong
}

// Check returns what is wrong with a region and an endpoint.
func Check(region, endpoint string) []error {
	var wrong []error
	switch {
	case region == "":
		wrong = append(wrong, errors.New("it names no region; add ?region="))
	case !regionName(region):
		wrong = append(wrong, fmt.Errorf("region %.20q is not like eu-west-1", region))
	}
	if endpoint != "" && !httpURL(endpoint) {
		wrong = append(wrong, errors.New("the endpoint is not an http or https URL with a host and nothing secret"))
	}
	return wrong
}

// regionName reports whether s is like eu-west-1: words of lower-case letters and digits with hyphens between, the first of letters alone.
func regionName(s string) bool {
	words := strings.Split(s, "-")
	for i, w := range words {
		if w == "" || !Only(w, lower) && (i == 0 || !Only(w, lower+digits)) {
			return false
		}
	}
	return len(words) > 1 && len(words[0]) > 1
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

// Only reports whether s has no byte that is not in the set.
func Only(s, set string) bool {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return false
		}
	}
	return true
}

func httpURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}
