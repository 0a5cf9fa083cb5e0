package slack_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/chat/slack"
)

const docs = "../../../docs/chat/"

type manifest struct {
	Features struct {
		AppHome struct {
			Enabled  bool `yaml:"messages_tab_enabled"`
			ReadOnly bool `yaml:"messages_tab_read_only_enabled"`
		} `yaml:"app_home"`
		BotUser struct {
			Name string `yaml:"display_name"`
		} `yaml:"bot_user"`
		Commands []struct {
			Command, URL, Description string
			Hint                      string `yaml:"usage_hint"`
		} `yaml:"slash_commands"`
	}
	OAuth struct {
		Scopes struct{ Bot, User []string }
	} `yaml:"oauth_config"`
	Settings struct {
		Events struct {
			URL string   `yaml:"request_url"`
			Bot []string `yaml:"bot_events"`
		} `yaml:"event_subscriptions"`
		Interactivity struct {
			Enabled bool   `yaml:"is_enabled"`
			URL     string `yaml:"request_url"`
		}
		Socket   bool `yaml:"socket_mode_enabled"`
		Rotation bool `yaml:"token_rotation_enabled"`
	}
}

func TestManifest_AsksForWhatTheCodeNeeds(t *testing.T) {
	raw, err := os.ReadFile(docs + "slack-manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := yaml.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Features.Commands) != 1 || m.Features.Commands[0].Command != "/drill" {
		t.Fatalf("commands %+v", m.Features.Commands)
	}
	for _, u := range []string{m.Features.Commands[0].URL, m.Settings.Events.URL, m.Settings.Interactivity.URL} {
		if u != "https://firedrill.example.com/chat/slack" {
			t.Errorf("Request URL %q", u)
		}
	}
	slices.Sort(m.OAuth.Scopes.Bot)
	if want := []string{"app_mentions:read", "chat:write", "commands", "im:history"}; !slices.Equal(m.OAuth.Scopes.Bot, want) || len(m.OAuth.Scopes.User) != 0 {
		t.Errorf("scopes %v of users %v, want %v", m.OAuth.Scopes.Bot, m.OAuth.Scopes.User, want)
	}
	slices.Sort(m.Settings.Events.Bot)
	if want := []string{"app_mention", "message.im"}; !slices.Equal(m.Settings.Events.Bot, want) {
		t.Errorf("events %v, want %v", m.Settings.Events.Bot, want)
	}
	if !m.Settings.Interactivity.Enabled || m.Settings.Socket || m.Settings.Rotation || !m.Features.AppHome.Enabled || m.Features.AppHome.ReadOnly || m.Features.BotUser.Name != "firedrill" {
		t.Errorf("got %+v", m)
	}
}

func TestDocs_NameEveryVariable(t *testing.T) {
	raw, err := os.ReadFile(docs + "slack.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slack.Variables() {
		if !strings.Contains(string(raw), "`"+name+"`") {
			t.Errorf("%s is not in slack.md", name)
		}
	}
	if strings.Count(string(raw), "FIREDRILL_ENDPOINT_") != strings.Count(string(raw), "FIREDRILL_ENDPOINT_SLACK") {
		t.Error("slack.md names a variable that is not read")
	}
}
