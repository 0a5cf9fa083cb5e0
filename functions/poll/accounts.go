package poll

import "github.com/firedrill/firedrill/shared/drill"

// AccountsOf lists each service and account that a plan uses, once.
func AccountsOf(plans []drill.Plan) []Account {
	type key struct {
		service drill.Service
		account string
	}
	seen := map[key]bool{}
	var out []Account
	for _, p := range plans {
		k := key{p.Service, p.Account.Name}
		if !seen[k] {
			seen[k] = true
			out = append(out, Account{Service: p.Service, Account: p.Account})
		}
	}
	return out
}
