#!/usr/bin/env bash
# Makes what dialler.py needs, in the current directory: a ledger, and dialler.toml.
set -euo pipefail

duecourse init ledger --name ledger.example.com/cards
duecourse registry add ledger dialler --types contact,disclosure

# The settings as `registry add` has written them, with paths as seen from here.
python - > dialler.toml <<'PYTHON'
from ledger.sdk import ProducerConfig

print(ProducerConfig.load("ledger/producers/dialler/producer.toml").to_toml(), end="")
PYTHON
chmod 600 dialler.toml
