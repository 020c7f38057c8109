#!/usr/bin/env bash
# Instructions a call beyond the bare crypto, floor and chain, by valgrind --tool=callgrind. `FEATURES=catalogue`: with
# hints, which cost only where a subscriber takes warnings (`warned`).
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(cargo bench --bench instructions --features "${FEATURES:-}" --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*instructions-[^"]*\)".*/\1/p' | tail -n 1)
few=100 many=300 runs=${1:-5}
base=$(mktemp)
# The server must not be counted: it runs outside valgrind.
WECHATPAY_BENCH_SERVE=1 "$program" < <(sleep 3600) >"$base" &
server=$!
trap 'kill $server 2>/dev/null; rm -f "$base"' EXIT
until [ -s "$base" ]; do sleep 0.1; done
BASE=$(head -n 1 "$base"); export BASE
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : //p'
}
per_call() { echo $((($(count "$1" $many) - $(count "$1" $few)) / (many - few))); }
# RSA blinding and a reconnect now and then differ from run to run: the median is what counts.
median() { for _ in $(seq "$runs"); do per_call "$1"; done | sort -n | sed -n "$((runs / 2 + 1))p"; }
crypto=$(median crypto) floor=$(median floor) chain=$(median chain) warned=$(median warned)
echo "median of $runs runs: crypto $crypto, floor $floor, chain $chain, warned $warned instructions a call"
echo "beyond the crypto: floor $((floor - crypto)), chain $((chain - crypto)), warned $((warned - crypto))"
