#!/bin/sh
# Checks this bag, makes its run again from the logs, and says whether the same comes out.
#   sh data/50_repro/rerun.sh LOGS [--accounts FILE] [--context DIR]
# Needs python3 (3.11 or later) and stillhunt with the packages of requirements.lock. Exit codes: 0 equal, 3 another result,
# 4 the bag or a log file was changed, 5 the run was degraded, 6 an input is missing.
set -eu
if [ $# -lt 1 ]; then
    sed -n 's/^#   /usage: /p' "$0" >&2
    exit 2
fi
bag=$(cd "$(dirname "$0")/../.." && pwd)
inputs=$1
shift
python3 "$bag/data/50_repro/verify.py" "$bag"
exec stillhunt rerun "$bag" --inputs "$inputs" "$@"
