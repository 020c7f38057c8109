#!/usr/bin/env bash
# Instructions a call beyond the bare crypto, floor and chain, by valgrind --tool=callgrind.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(cargo bench --bench instructions --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*instructions-[^"]*\)".*/\1/p' | tail -n 1)
few=100 many=300
# The server must not be counted: it runs outside valgrind.
WECHATPAY_BENCH_SERVE=1 "$program" </dev/zero >/tmp/base.$$ &
server=$!
trap 'kill $server 2>/dev/null; rm -f /tmp/base.$$' EXIT
until [ -s /tmp/base.$$ ]; do sleep 0.1; done
BASE=$(head -n 1 /tmp/base.$$); export BASE
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : //p'
}
per_call() { echo $((($(count "$1" $many) - $(count "$1" $few)) / (many - few))); }
crypto=$(per_call crypto) floor=$(per_call floor) chain=$(per_call chain)
echo "crypto $crypto, floor $floor, chain $chain instructions a call"
echo "beyond the crypto: floor $((floor - crypto)), chain $((chain - crypto))"
