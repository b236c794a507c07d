#!/usr/bin/env bash
# Draws where a server under load spends its time: deploy/flame/flame.sh [SECTION], as target/tmp/flame.svg.
#
# The load is a section of the benchmark, in its quick form. Samples are taken of the server alone, from the moment that it is there until the
# benchmark ends it. Stacks are copied and unwound afterwards: ONNX Runtime keeps no frame pointers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=deploy/setup/lib.sh
. deploy/setup/lib.sh

section=${1:-pictures}
inferno=.runtime/inferno/bin
samples=target/tmp/flame.perf
svg=target/tmp/flame.svg
figures=target/tmp/figures.json
patience_s=120

have perf || fail "perf is needed." "Run: $(mending_command linux-perf)   (that is its name in Debian)"
perf record --output /dev/null -- true >/dev/null 2>&1 ||
    fail "perf may not take samples here." "Run it as root, or: sudo sysctl kernel.perf_event_paranoid=1"

bench=(cargo bench --profile release --locked --offline --target-dir target --bench figures)
"${bench[@]}" --no-run
mkdir -p target/tmp
# What is measured while samples are taken is no figure: those of the last real run are put back.
[ ! -f "$figures" ] || cp "$figures" "$figures.kept"
"${bench[@]}" -- --quick "$section" >/dev/null &
load=$!
SECONDS=0

# The last server that was started from this folder.
server() { pgrep --newest --full "^$PWD/target/release/vigie serve"; }
until pid=$(server); do
    kill -0 "$load" 2>/dev/null || fail "the benchmark ended before it had started a server."
    [ "$SECONDS" -lt "$patience_s" ] || fail "the benchmark has started no server for $patience_s s."
    sleep 0.1
done
say "sampling the server until the benchmark ends it"
perf record --quiet --event cpu-clock --freq 999 --call-graph dwarf,16384 --pid "$pid" --output "$samples" || true
wait "$load"
rm -f "$figures"
[ ! -f "$figures.kept" ] || mv "$figures.kept" "$figures"

say "drawing"
perf script --no-inline --input "$samples" 2>/dev/null | "$inferno/inferno-collapse-perf" |
    "$inferno/inferno-flamegraph" --countname ns --title "The server under load: $section" >"$svg"
rm -f "$samples"
note "$svg"
