package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/sandbox"
)

// reach says where a command finds the services: the sandbox of a running 'up', or with --live the clouds themselves.
type reach struct {
	catalog string
	sandbox string
	live    bool
}

func (r *reach) flags(c *cobra.Command) {
	c.Flags().StringVar(&r.catalog, "catalog", "", "catalogue file, for its accounts")
	c.Flags().StringVar(&r.sandbox, "sandbox", "http://127.0.0.1:8081", "address of the sandbox of a running 'up'")
	c.Flags().BoolVar(&r.live, "live", false, "use the real accounts, with the credentials of this environment")
}

func (r *reach) services(root string) *provider.Services {
	return provider.New(provider.Options{Openers: openers(), Wait: patient, Config: func(name drill.Service, a drill.Account) (driver.Config, error) {
		c := driver.Config{Account: a.Name, AccountID: a.ID, Region: a.Region, Root: root}
		if r.live {
			var err error
			c.Credentials = ambient(a)
			c.Endpoint, err = liveEndpoint(name)
			return c, err
		}
		c.Endpoint = r.sandbox
		c.Credentials = func(context.Context) (driver.Credentials, error) {
			return driver.Credentials{AccessKey: sandbox.DefaultAccessKey, Secret: sandbox.DefaultSecret}, nil
		}
		return c, nil
	}})
}

// place is a service in an account.
type place struct {
	service drill.Service
	account drill.Account
	planned bool // a plan of the catalogue uses it
}

// cloudServices lists the services that a cloud has.
func cloudServices(cloud string) []drill.Service {
	switch cloud {
	case "aws":
		return []drill.Service{drill.FIS}
	case "aliyun":
		return []drill.Service{drill.AHAS, drill.OOS}
	case "tencent":
		return []drill.Service{drill.CFG}
	}
	return nil
}

// places lists the services of the catalogue's accounts, or of one of them. Mistakes elsewhere in the catalogue do not matter.
func (r *reach) places(only string) ([]place, error) {
	c, name, err := openPartial(r.catalog)
	if c == nil {
		return nil, err
	}
	planned := map[string]bool{}
	for _, p := range c.Plans() {
		planned[string(p.Service)+" "+p.Account.Name] = true
	}
	var out []place
	var names []string
	for _, a := range c.Accounts() {
		names = append(names, a.Name)
		if only != "" && only != a.Name {
			continue
		}
		for _, s := range cloudServices(a.Cloud) {
			out = append(out, place{s, a, planned[string(s)+" "+a.Name]})
		}
	}
	switch {
	case len(names) == 0:
		return nil, fmt.Errorf("%s names no accounts", name)
	case len(out) == 0:
		return nil, usageError{fmt.Errorf("there is no account %q; the catalogue has %s", only, strings.Join(names, ", "))}
	}
	return out, nil
}

func discoverCommand() *cobra.Command {
	var r reach
	var account string
	var asJSON bool
	c := &cobra.Command{
		Use:   "discover",
		Short: "List the templates of an account's services as ready plans",
		Long: `discover reads the experiment templates of each service in the catalogue's accounts and prints them as plans that can be pasted
into drills.yaml. It changes nothing.`,
		Example: `  firedrill discover                          the sandbox of a running 'up'
  firedrill discover --live --account aws-prod  the real account, read only`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return discover(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), r, account, asJSON)
		},
	}
	r.flags(c)
	c.Flags().StringVar(&account, "account", "", "only this account of the catalogue")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// discovered is one template with where it is.
type discovered struct {
	Service  drill.Service   `json:"service"`
	Account  string          `json:"account"`
	Template driver.Template `json:"template"`
}

func discover(ctx context.Context, out, progress io.Writer, r reach, account string, asJSON bool) error {
	places, err := r.places(account)
	if err != nil {
		return err
	}
	services := r.services("")
	all := []discovered{}
	var errs []error
	for _, p := range places {
		fmt.Fprintf(progress, "# reading %s in %s\n", p.service, p.account.Name)
		sv, err := services.For(p.service, p.account)
		if err == nil {
			var list []driver.Template
			list, err = sv.Templates(ctx)
			for _, t := range list {
				all = append(all, discovered{p.service, p.account.Name, t})
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("account %s: %w", p.account.Name, err))
		}
	}
	if asJSON {
		respondTo(out, all)
	} else if err := printStanzas(out, all, r.names()); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// names lists the plans that the catalogue has already.
func (r *reach) names() []string {
	c, _, _ := openPartial(r.catalog)
	if c == nil {
		return nil
	}
	var names []string
	for _, p := range c.Plans() {
		names = append(names, p.Name)
	}
	return names
}

// printStanzas prints plans for drills.yaml, with names that are not taken.
func printStanzas(w io.Writer, all []discovered, taken []string) error {
	if len(all) == 0 {
		return nil
	}
	plans := yaml.Node{Kind: yaml.MappingNode}
	for _, d := range all {
		name := planName(d, taken)
		taken = append(taken, name)
		title := d.Template.Name
		if title == "" {
			title = d.Template.ID
		}
		body := map[string]any{"title": title, "owner": "team-name", "environment": "staging", "account": d.Account, string(d.Service): d.Template.Block}
		var key, value yaml.Node
		key.SetString(name)
		if err := value.Encode(body); err != nil {
			return fmt.Errorf("template %s: %w", d.Template.ID, err)
		}
		key.HeadComment = d.Template.Description
		plans.Content = append(plans.Content, &key, &value)
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(map[string]*yaml.Node{"drills": &plans}); err != nil {
		return err
	}
	return enc.Close()
}

// planName makes a plan's name of a template's: lower-case letters, digits and dashes, not used before. A name in another script becomes
// the template's id.
func planName(d discovered, taken []string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(d.Template.Name) {
		switch {
		case b.Len() >= 40:
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.IsLetter(r):
			return free(string(d.Service)+"-"+strings.ToLower(d.Template.ID), taken)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	base := strings.Trim(b.String(), "-")
	if base == "" {
		base = string(d.Service) + "-" + strings.ToLower(d.Template.ID)
	}
	return free(base, taken)
}

// free adds a number to a name that is taken.
func free(base string, taken []string) string {
	name := base
	for n := 2; slices.Contains(taken, name); n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}
