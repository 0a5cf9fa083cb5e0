#!/usr/bin/env bash
# Runs the three vendors' own clients against Firedrill's sandbox: AWS CLI (FIS), Tencent's Node SDK (CFG), Alibaba's pop-core (OOS, AHAS).
#
#   docs/clients/run.sh                                                    starts 'firedrill up' on free ports, ends it afterwards
#   FIREDRILL_SANDBOX=http://127.0.0.1:8081 docs/clients/run.sh            uses the sandbox of an 'up' that runs already
#   docs/clients/run.sh fis                                                one part: fis, cfg or alibaba
#
# A part whose client is not there and cannot be installed is skipped, and says so. Exits 1 when a part fails, or when every part was skipped.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/firedrill-clients.XXXXXX") || exit 1
up=""

# finish ends only the process that this script started, and takes its files away.
finish() {
  if [[ -n $up ]]; then
    kill -TERM "$up" 2>/dev/null
    for _ in {1..100}; do kill -0 "$up" 2>/dev/null && sleep 0.1; done
    kill -KILL "$up" 2>/dev/null && echo "'firedrill up' did not end in 10 s and was killed" >&2
    wait "$up" 2>/dev/null
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# start_up starts a sandbox of its own, ten times faster than the clock, and waits until it says where it is.
start_up() {
  echo "== firedrill up (its own, on free ports)"
  (cd "$root" && go build -o "$work/firedrill" ./deploy/local) || return 1
  "$work/firedrill" up --json --addr 127.0.0.1:0 --sandbox-addr 127.0.0.1:0 --data "$work/data" --catalog "$root/drills.yaml" --speed 10 \
    >"$work/up.jsonl" 2>"$work/up.log" &
  up=$!
  for _ in {1..100}; do
    FIREDRILL_SANDBOX=$(sed -n '1s/.*"sandbox":"\([^"]*\)".*/\1/p' "$work/up.jsonl")
    [[ -n $FIREDRILL_SANDBOX ]] && curl -sf "$FIREDRILL_SANDBOX/_sandbox/clock" >/dev/null && return
    kill -0 "$up" 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/up.log" >&2
  return 1
}

# node_client PACKAGE@VERSION: installs a package into a folder of its own; what npm said is shown when it could not.
node_client() {
  command -v node >/dev/null && command -v npm >/dev/null || { why="there is no node or npm"; return 1; }
  mkdir -p "$work/node"
  (cd "$work/node" && npm install --no-save --no-audit --no-fund --ignore-scripts --loglevel=error "$1") >"$work/npm.log" 2>&1 && return
  why="npm could not install $1: $(grep -m1 -o 'npm error.*' "$work/npm.log" | cut -c1-120)"
  return 1
}

passed=0 failed=0 skipped=0
# part NAME HAS_CLIENT RUN: the last two are functions.
part() {
  local name=$1 why=""
  echo
  echo "== $name"
  if ! "$2"; then
    echo "SKIPPED: $why"
    skipped=$((skipped + 1))
    return
  fi
  if "$3"; then
    passed=$((passed + 1))
  else
    echo "FAILED: $name"
    failed=$((failed + 1))
  fi
}

has_aws() { why="there is no AWS CLI ('aws')"; command -v aws >/dev/null && aws --version; }
has_tencent() { node_client tencentcloud-sdk-nodejs@4.1.313; }
has_alibaba() { node_client @alicloud/pop-core@1.8.0; }
run_fis() { "$here/fis.sh"; }
# Node looks for packages from a script's own folder upwards, so the script is copied to where they are.
run_node() { cp "$here/$1" "$work/node/" && node "$work/node/$1"; }
run_cfg() { run_node cfg.mjs; }
run_alibaba() { run_node alibaba.mjs; }

wanted=" ${*:-fis cfg alibaba} "
for w in $wanted; do
  case $w in fis | cfg | alibaba) ;; *) echo "no such part: $w (fis, cfg, alibaba)" >&2; exit 2 ;; esac
done
export FIREDRILL_SANDBOX=${FIREDRILL_SANDBOX:-}
if [[ -z $FIREDRILL_SANDBOX ]]; then
  start_up || { echo "FAILED: 'firedrill up' did not come up" >&2; exit 1; }
fi
curl -sf "$FIREDRILL_SANDBOX/_sandbox/clock" >/dev/null || { echo "FAILED: no sandbox answers at $FIREDRILL_SANDBOX" >&2; exit 1; }
echo "sandbox $FIREDRILL_SANDBOX"
[[ $wanted == *" fis "* ]] && part "AWS CLI: FIS" has_aws run_fis
[[ $wanted == *" cfg "* ]] && part "Tencent Cloud SDK for Node: CFG" has_tencent run_cfg
[[ $wanted == *" alibaba "* ]] && part "Alibaba Cloud pop-core for Node: OOS, AHAS" has_alibaba run_alibaba
echo
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
