"""Ed25519 verification against Wycheproof (rule R6; docs/formats/ 3)."""

from __future__ import annotations

import json
from pathlib import Path

from ledger.kernel import keys


def test_every_wycheproof_signature_has_its_verdict(shared: Path) -> None:
    vectors = json.loads((shared / "vectors/wycheproof-ed25519.json").read_text())
    wrong, seen = [], 0
    for group in vectors["testGroups"]:
        public_key = bytes.fromhex(group["publicKey"]["pk"])
        for row in group["tests"]:
            seen += 1
            valid = keys.verify(public_key, bytes.fromhex(row["sig"]), bytes.fromhex(row["msg"]))
            if valid != (row["result"] == "valid"):
                wrong.append((row["tcId"], row["comment"]))
    assert seen == vectors["numberOfTests"]
    assert wrong == []
