#!/usr/bin/env bash
# Drives the sandbox's FIS with the AWS CLI (version 1 or 2): an independent check of the wire format.
#
#   FIREDRILL_SANDBOX=http://127.0.0.1:8081 docs/clients/fis.sh
#
# Prints each step, exits 1 on a surprise. It reads no configuration and no credentials of yours.
set -euo pipefail

export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER="" AWS_MAX_ATTEMPTS=1
unset AWS_PROFILE AWS_SESSION_TOKEN
endpoint=${FIREDRILL_SANDBOX:-http://127.0.0.1:8081}

fis() { aws fis "$@" --endpoint-url "$endpoint" --output text 2>&1; }
say() { printf '%-34s %s\n' "$1" "$2"; }
die() { say "$1" "SURPRISE: $2" >&2; exit 1; }

# wants STEP GOT PATTERN
wants() { [[ $2 == $3 ]] || die "$1" "$2, want $3"; say "$1" "$2"; }

# refused STEP ERROR COMMAND...
refused() {
  local step=$1 error=$2 out
  shift 2
  if out=$("$@"); then die "$step" "it was not refused: $out"; fi
  [[ $out == *"($error)"* ]] || die "$step" "$out, want $error"
  say "$step" "refused: $error"
}

# becomes ID STATUS: waits until the experiment has the status.
becomes() {
  local status
  for _ in {1..60}; do
    status=$(fis get-experiment --id "$1" --query experiment.state.status)
    [[ $status == "$2" ]] && { say "get-experiment $1" "$status"; return; }
    sleep 0.5
  done
  die "get-experiment $1" "$status, want $2"
}

wrong_secret() { AWS_SECRET_ACCESS_KEY=wrong fis list-experiments; }
unsigned() { fis list-experiments --no-sign-request; }

token=cli-$$-$RANDOM
refused "wrong secret" InvalidSignatureException wrong_secret
refused "no signature" MissingAuthenticationTokenException unsigned
wants "get-caller-identity" "$(aws sts get-caller-identity --endpoint-url "$endpoint" --query Account --output text)" "123456789012"
wants "list-experiment-templates" "$(fis list-experiment-templates --query 'length(experimentTemplates)')" "[1-9]*"

id=$(fis start-experiment --experiment-template-id EXTlong00000000001 --client-token "$token" --tags Name=cli --query experiment.id)
wants "start-experiment" "$id" "EXP*"
wants "start-experiment, same token" "$(fis start-experiment --experiment-template-id EXTlong00000000001 --client-token "$token" --tags Name=cli --query experiment.id)" "$id"
refused "start-experiment, other tags" ConflictException fis start-experiment --experiment-template-id EXTlong00000000001 --client-token "$token"
refused "start-experiment, no template" ResourceNotFoundException fis start-experiment --experiment-template-id EXTnone --client-token "$token-2"
becomes "$id" running
wants "list-experiments" "$(fis list-experiments --query "experiments[?id=='$id'].tags.Name")" "cli"
wants "list-experiment-resolved-targets" "$(fis list-experiment-resolved-targets --experiment-id "$id" --query 'resolvedTargets[0].targetInformation.arn')" "arn:aws:ec2:*"
wants "stop-experiment" "$(fis stop-experiment --id "$id" --query experiment.state.status)" "stopping"
becomes "$id" stopped
refused "stop-experiment, stopped already" ValidationException fis stop-experiment --id "$id"
refused "get-experiment, unknown" ResourceNotFoundException fis get-experiment --id EXPnone
echo "FIS: all as documented"
