#!/usr/bin/env bash
# The wheel holds all that it needs: built, installed in an environment of its own, and used from an empty folder.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/.venv/bin/python" -m pip wheel --quiet --no-deps --wheel-dir "$work/dist" "$root"
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet "$work"/dist/duecourse-*.whl
cd "$work"
export PYTHONSAFEPATH=1
"$work/env/bin/duecourse" --version
"$work/env/bin/duecourse" demo --quick
"$work/env/bin/python" -m ledger.verify --help > /dev/null
echo "the wheel works outside the checkout"
