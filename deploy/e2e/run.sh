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
	step 60 "make a Python environment" python3 -m venv "$venv"
	step 900 "install cfn-lint $CFN_LINT, aws-sam-cli $SAM_CLI, moto $MOTO" \
		"$venv/bin/pip" install --quiet "cfn-lint==$CFN_LINT" "aws-sam-cli==$SAM_CLI" "moto[server]==$MOTO"
fi
emulator=$("$venv/bin/python" -c 'import importlib.util, os; print(os.path.dirname(importlib.util.find_spec("samcli").origin))')/local/rapid/aws-lambda-rie-$arch
cp "$emulator" "$work/aws-lambda-rie"
chmod 755 "$work/aws-lambda-rie"

step 120 "cfn-lint" "$venv/bin/cfn-lint" template.yaml deploy/aws/account.yaml
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
journal=("$go" test -count 1 -timeout 240s ./shared/journal/s3 -run)

# moto is threads in Python, and now and then two of them both find a key missing. That this happened must be shown before a failure may be
# called moto's; then the suite has a second try.
breaks() {
	! timeout --kill-after=10 250 "${journal[@]}" TestServer_50CreatorsOfOneKey >"$work/condition" 2>&1 && grep 'the server breaks its condition' "$work/condition"
}
if ! (step 300 "the journal on moto's S3" "${journal[@]}" 'TestServer_(Store|50Appenders|Presign)'); then
	breaks || breaks || { echo "moto kept its condition: the failure is ours" >&2; exit 1; }
	step 300 "the journal on moto's S3 again, after moto broke its own condition" "${journal[@]}" 'TestServer_(Store|50Appenders|Presign)'
elif breaks; then
	echo "== for the record: moto breaks its condition when 50 create one key at once"
fi
step 200 "PutEvents, rules and queues of moto" "$go" test -count 1 -timeout 120s -run TestServer ./shared/bus/eventbridge
export FIREDRILL_TEST_RIE=$work/aws-lambda-rie FIREDRILL_TEST_AWS=http://127.0.0.1:$port
step 600 "whole drills under the Runtime Interface Emulator" "$go" test -count 1 -timeout 420s -v -run TestE2E ./deploy/e2e
echo "== everything: $SECONDS s"
