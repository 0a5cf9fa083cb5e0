package main

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// everyCloud sets the environment as somebody has it who works with all three clouds, the sandbox standing for them.
func everyCloud(t *testing.T, endpoint string) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
		"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"} {
		t.Setenv(name, "sandbox")
	}
	for _, name := range []string{"FIS", "AHAS", "OOS", "CFG"} {
		t.Setenv("FIREDRILL_ENDPOINT_"+name, endpoint)
	}
}

// goLive runs 'up --live' as a person at a terminal would, typing one line, until it prints text or ends.
func goLive(t *testing.T, catalogue, line, text string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out := &output{}
	set := settings{addr: "127.0.0.1:0", data: t.TempDir(), speed: 1, every: time.Second, live: true, catalog: catalogue, log: logger(false)}
	ended := make(chan error, 1)
	go func() { ended <- up(ctx, set, screen{out: out, in: strings.NewReader(line), person: true}) }()
	for {
		select {
		case err := <-ended:
			return out.String(), err
		case <-time.After(20 * time.Millisecond):
			if text != "" && strings.Contains(out.String(), text) {
				cancel()
				return out.String(), <-ended
			}
		}
	}
}

func TestLive_refusals(t *testing.T) {
	w := start(t)
	good := write(t, "drills.yaml", small)
	t.Run("without a terminal", func(t *testing.T) {
		everyCloud(t, w.s.boxURL)
		code, out, errs := typed(t, "123456789012\n", "up", "--live", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--catalog", good)
		if code != 1 || !strings.Contains(errs, "--live asks a person: run it in a terminal") || out != "" {
			t.Errorf("exit %d: %s%s", code, out, errs)
		}
	})
	for name, c := range map[string]struct{ catalogue, line, text string }{
		"another account": {strings.Replace(small, "123456789012", "210987654321", 1), "210987654321\n", "the credentials belong to account 123456789012, the catalogue says 210987654321"},
		"a wrong line":    {small, "yes\n", "that is none of these account ids; nothing was started"},
		"no line":         {small, "", "no confirmation"},
		"no id":           {strings.Replace(small, ` id: "123456789012",`, "", 1), "\n", "id"},
		"no plans":        {strings.Split(small, "drills:")[0], "\n", "the catalogue has no plans"},
	} {
		t.Run(name, func(t *testing.T) {
			everyCloud(t, w.s.boxURL)
			out, err := goLive(t, write(t, "drills.yaml", c.catalogue), c.line, "")
			if err == nil || !strings.Contains(err.Error(), c.text) || strings.Contains(out, "console ") {
				t.Errorf("error %v, want %q: %s", err, c.text, out)
			}
		})
	}
	t.Run("wrong credentials", func(t *testing.T) {
		everyCloud(t, w.s.boxURL)
		t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret-value")
		out, err := goLive(t, good, "123456789012\n", "")
		if err == nil || strings.Contains(err.Error()+out, "wrong-secret-value") || strings.Contains(out, "console ") {
			t.Errorf("error %v: %s", err, out)
		}
	})
	t.Run("an endpoint that is not safe", func(t *testing.T) {
		everyCloud(t, w.s.boxURL)
		t.Setenv("FIREDRILL_ENDPOINT_FIS", "http://fis.example.com")
		if _, err := goLive(t, good, "123456789012\n", ""); err == nil || !strings.Contains(err.Error(), "FIREDRILL_ENDPOINT_FIS: use https") {
			t.Errorf("error %v", err)
		}
	})
	if n := len(w.s.box.Runs()); n != 0 {
		t.Errorf("%d runs were made", n)
	}
}

func TestLive_confirmed(t *testing.T) {
	w := start(t)
	everyCloud(t, w.s.boxURL)
	plans := small + `  empty:
    title: Empty
    owner: team-cart
    account: tx-sandbox
    cfg: { template: 626, mode: manual, groups: [ { instances: [ ins-cart-a ] } ] }
`
	out, err := goLive(t, write(t, "drills.yaml", plans), " 100032429988\n", "Ctrl-C ends it.")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Firedrill · LIVE", "aws-sandbox  fis   123456789012 us-east-1", "tx-sandbox   cfg   100032429988", "LIVE: drills will inject real faults", "console   http://127.0.0.1:"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "sandbox   http") {
		t.Errorf("a sandbox runs in live mode:\n%s", out)
	}
	code, found, errs := cli(t, "discover", "--live", "--account", "aws-sandbox", "--catalog", write(t, "drills.yaml", small))
	if code != 0 || !strings.Contains(found, "EXTwait00000000001") {
		t.Errorf("discover --live: exit %d: %s%s", code, found, errs)
	}
}

func TestUp_dropsAmbientCredentials(t *testing.T) {
	names := []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL_FIS",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_CREDENTIALS_URI", "ALIBABA_CLOUD_ROLE_ARN", "TENCENTCLOUD_SECRET_ID",
		"TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN", "FIREDRILL_ENDPOINT_FIS"}
	for _, name := range names {
		t.Setenv(name, "http://127.0.0.1:1/a-real-secret")
	}
	t.Setenv("HOME_OF_SOMETHING_ELSE", "stays")
	ctx, cancel := context.WithCancel(t.Context())
	r, pipe := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"up", "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0", "--data", t.TempDir(), "--json"}, terminal{strings.NewReader(""), pipe, io.Discard})
		pipe.Close()
	}()
	first := make([]byte, 4096)
	n, err := r.Read(first)
	if err != nil || !strings.Contains(string(first[:n]), `"mode":"SANDBOX"`) {
		t.Errorf("%v: %s", err, first[:n])
	}
	for _, name := range names {
		if v, ok := os.LookupEnv(name); ok {
			t.Errorf("%s is still %q", name, v)
		}
	}
	if os.Getenv("HOME_OF_SOMETHING_ELSE") != "stays" || os.Getenv("AWS_EC2_METADATA_DISABLED") != "true" {
		t.Error("it dropped too much, or left the metadata service on")
	}
	cancel()
	go func() { _, _ = io.Copy(io.Discard, r) }()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d", code)
	}
}
