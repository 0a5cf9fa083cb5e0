package talk

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
	"github.com/firedrill/firedrill/shared/setup"
)

func get(pairs map[string]string) Get { return func(name string) string { return pairs[name] } }

func options() wire.Options {
	return wire.Options{Now: time.Now, Wait: func(context.Context, time.Duration) error { return nil }}
}

func slackIn() map[string]string {
	return map[string]string{"FIREDRILL_SLACK_SIGNING_SECRETS": "8f742231b10e8888abcd99yyyzzz85a5", "FIREDRILL_SLACK_TENANTS": "T0DRILL", "FIREDRILL_SLACK_APPS": "A0DRILL"}
}

func TestReceivers_SaysWhatIsMissing(t *testing.T) {
	if _, err := Receivers(get(nil)); err == nil || !strings.Contains(err.Error(), InSecrets) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := Senders(get(nil), options()); err == nil || !strings.Contains(err.Error(), OutSecrets) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := Receivers(get(slackIn())); err == nil || !strings.Contains(err.Error(), Keys) {
		t.Errorf("buttons without keys: %v", err)
	}
	half := map[string]string{"FIREDRILL_SLACK_SIGNING_SECRETS": "hunter2hunter2hunter2hunter2hunt", InSecrets: "hunter2"}
	if _, err := Receivers(get(half)); err == nil || !strings.Contains(err.Error(), "FIREDRILL_SLACK_TENANTS") || !strings.Contains(err.Error(), InSecrets) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("half of Slack: %v", err)
	}
}

func TestReceivers_HoldWhatIsSetUp(t *testing.T) {
	env := slackIn()
	env[Keys] = base64.StdEncoding.EncodeToString(make([]byte, 32))
	env[InSecrets] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	all, err := Receivers(get(env))
	if err != nil || len(all) != 2 || all[chat.Slack] == nil || all[chat.Webhook] == nil {
		t.Errorf("%v, %v", all, err)
	}
	env = map[string]string{"FIREDRILL_SLACK_BOT_TOKENS": "T0DRILL=xoxb-1-abcdefghijkl", Keys: env[Keys], OutSecrets: env[InSecrets]}
	senders, err := Senders(get(env), options())
	if err != nil || len(senders) != 2 {
		t.Errorf("%v, %v", senders, err)
	}
}

// TestVariables_AreKnown holds the list in package setup, which finds misspelt names, to what the platforms read.
func TestVariables_AreKnown(t *testing.T) {
	for _, v := range Variables() {
		_, err := setup.Read([]string{v + "=x"})
		if err == nil || strings.Contains(err.Error(), v+": there is no such variable") {
			t.Errorf("%s is read, and package setup calls it a stranger", v)
		}
	}
	var needs []string
	for _, n := range append(Needs(InSecrets), Needs(OutSecrets)...) {
		if !n.Optional {
			t.Errorf("%s is not optional", n.Variable)
		}
		needs = append(needs, n.Variable)
	}
	for _, v := range Variables() {
		if !slices.Contains(needs, v) {
			t.Errorf("%s is read, and nobody may be given it", v)
		}
	}
}
