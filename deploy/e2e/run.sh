#!/usr/bin/env bash
# make test-e2e: what an account of AWS is needed for otherwise, without one. Installs exact versions of cfn-lint, the SAM CLI (for its
# Runtime Interface Emulator) and moto from PyPI into a temporary folder, or takes the folder that FIREDRILL_E2E_VENV names and leaves it there.
# Everything listens on 127.0.0.1; every step has a limit; every process it started has ended when it ends.
set -euo pipefail
cd "$(dirname "$0")/../.."
export AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 PIP_DISABLE_PIP_VERSION_CHECK=1
export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox
CFN_LINT=1.58.0 SAM_CLI=1.170.0 MOTO=5.2.5

case "$(uname -s) $(uname -m)" in
"Linux x86_64") arch=x86_64 ;;
"Linux aarch64") arch=arm64 ;;
*) echo "the emulator runs on Linux alone, x86_64 or arm64" >&2; exit 1 ;;
esac

work=$(mktemp -d)
moto=
finish() {
	if [ -n "$moto" ]; then
		kill "$moto" 2>/dev/null || true
		wait "$moto" 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

step() { # step <seconds> <what> <command...>
	local limit=$1 what=$2 begin=$SECONDS
	shift 2
	echo "== $what"
	timeout --kill-after=10 "$limit" "$@" || { echo "== $what: failed or took more than $limit s" >&2; exit 1; }
	echo "== $what: $((SECONDS - begin)) s"
}

venv=${FIREDRILL_E2E_VENV:-$work/venv}
if ! "$venv/bin/python" -c "from importlib.metadata import version as v; assert (v('cfn-lint'), v('aws-sam-cli'), v('moto')) == ('$CFN_LINT', '$SAM_CLI', '$MOTO')" 2>/dev/null; then
	step 120 "make a Python environment" python3 -m venv "$venv"
	step 900 "install cfn-lint $CFN_LINT, aws-sam-cli $SAM_CLI, moto $MOTO" \
		"$venv/bin/pip" install --quiet --retries 10 "cfn-lint==$CFN_LINT" "aws-sam-cli==$SAM_CLI" "moto[server]==$MOTO"
fi
emulator=$("$venv/bin/python" -c 'import importlib.util, os; print(os.path.dirname(importlib.util.find_spec("samcli").origin))')/local/rapid/aws-lambda-rie-$arch
cp "$emulator" "$work/aws-lambda-rie"
chmod 755 "$work/aws-lambda-rie"

step 120 "cfn-lint" "$venv/bin/cfn-lint" template.yaml deploy/aws/account.yaml deploy/aws/forward.yaml
step 120 "sam validate --lint" "$venv/bin/sam" validate --lint --template template.yaml

port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$venv/bin/moto_server" --host 127.0.0.1 --port "$port" >"$work/moto.log" 2>&1 &
moto=$!
step 60 "wait for moto" "$venv/bin/python" -c "
import time, urllib.request
while True:
    try:
        urllib.request.urlopen('http://127.0.0.1:$port/moto-api/', timeout=5)
        break
    except OSError:
        time.sleep(0.2)"

go=${GO:-go}
export FIREDRILL_TEST_S3=http://127.0.0.1:$port FIREDRILL_TEST_EVENTBRIDGE=http://127.0.0.1:$port

# moto is threads in Python, and now and then two of them both find a key missing. A test in which that happened says so; then, and only then, it is
# moto's failure and not ours, which is shown and tried again.
journal() { # journal <seconds> <what> <tests>
	local try
	for try in 1 2 3; do
		if (step "$1" "$2" "$go" test -count 1 -timeout 540s -v -run "$3" ./shared/journal/s3) >"$work/journal" 2>&1; then
			grep -E '^== |appended,' "$work/journal"
			return
		fi
		cat "$work/journal"
		grep -q 'the server breaks its condition' "$work/journal" || { echo "== moto kept its condition: the failure is ours" >&2; exit 1; }
		echo "== moto broke its own condition (try $try)"
	done
	echo "== for the record: moto broke its condition each time, so this shows nothing about the journal; gofakes3 does, in make test"
}
for one in TestServer_Store TestServer_50Appenders TestServer_Presign TestServer_50CreatorsOfOneKey; do
	journal 600 "the journal on moto's S3: $one" "$one"
done
step 400 "PutEvents, rules and queues of moto" "$go" test -count 1 -timeout 300s -run TestServer ./shared/bus/eventbridge
export FIREDRILL_TEST_RIE=$work/aws-lambda-rie FIREDRILL_TEST_AWS=http://127.0.0.1:$port
if [ -n "${FIREDRILL_E2E_BENCH:-}" ]; then
	step 1200 "cold and warm calls under the Runtime Interface Emulator" "$go" test -run '^$' -bench Emulator -benchtime "$FIREDRILL_E2E_BENCH" -timeout 1100s ./deploy/e2e
	exit
fi
step 900 "whole drills under the Runtime Interface Emulator" "$go" test -count 1 -timeout 800s -v -run TestE2E ./deploy/e2e
echo "== everything: $SECONDS s"
