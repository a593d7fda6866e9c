#!/bin/sh
# Makes an authority, a certificate for the gate, one for a client and a revoked one, below ./certs beside this file.
set -eu

dockgate=${DOCKGATE:-dockgate}
out=$(dirname "$0")/certs

"$dockgate" certs init --out "$out" --organization acme
"$dockgate" certs server gate --out "$out" "$@"
"$dockgate" certs client alice --out "$out" --organization acme --organizational-unit developers
"$dockgate" certs client ci-1 --out "$out" --organization acme --organizational-unit ci --days 30
"$dockgate" certs client mallory --out "$out"
"$dockgate" certs revoke mallory --out "$out"
