#!/usr/bin/env bash
# The kernel under Jupyter's own client: jupyter_kernel_test with every test enabled, then each
# message of the protocol against its schema. HEADWATER_BIN names the binary, by default the one
# that cargo built last; the prelude is the one that the binary finds by itself.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
target="${CARGO_TARGET_DIR:-$HOME/.cache/headwater/target}"
export HEADWATER_BIN="${HEADWATER_BIN:-$target/debug/headwater}"

# One environment for each list of requirements, kept for the next run.
key="$(sha256sum "$here/requirements.txt" | cut -c1-12)"
venv="${XDG_CACHE_HOME:-$HOME/.cache}/headwater/protocol-$key"
if [ ! -e "$venv/complete" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    touch "$venv/complete"
fi

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
export JUPYTER_DATA_DIR="$folder/jupyter" JUPYTER_RUNTIME_DIR="$folder/runtime" JUPYTER_CONFIG_DIR="$folder/config"
export HEADWATER_HISTORY="$folder/history.sqlite"
# The person's own kernels must not be found in place of this one.
export JUPYTER_PATH="$folder/jupyter" JUPYTER_PREFER_ENV_PATH=0
"$venv/bin/python" "$here/kernelspec.py" "$JUPYTER_DATA_DIR"
"$venv/bin/python" "$here/kernel_test.py"
"$venv/bin/python" "$here/protocol_table.py"
