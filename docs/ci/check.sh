#!/bin/sh
# Runs a program or a test suite under Lockgraph and fails on what is new against a
# baseline.  See docs/ci.md.
#
# usage: check.sh [--update] BASELINE COMMAND [ARG...]
#
# --update writes BASELINE from this run instead, which then passes.  Exit status: the
# command's own when that is not 0; 66 something new, 65 no readable baseline.
set -eu

update=false
if [ "${1-}" = --update ]; then
    update=true
    shift
fi
[ $# -ge 2 ] || {
    echo "usage: check.sh [--update] BASELINE COMMAND [ARG...]" >&2
    exit 2
}
baseline=$1
shift

# What is found does not end the run: whether it is new is asked afterwards.  Hung programs end.
lockgraph run --fail-on never --on-deadlock kill --timeout "${TIMEOUT:-1800}" --require-coverage -- "$@"

if $update; then
    lockgraph report --fail-on never --format json --output "$baseline"
else
    lockgraph check --baseline "$baseline" --fail-on "${FAIL_ON:-warning}"
fi
