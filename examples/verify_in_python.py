"""Judges a bundle from Python, as a supervisor's own tool would: no network, no clock, no trust but the reader's own.

python verify_in_python.py case.duecourse trust.toml"""

from __future__ import annotations

import sys
from pathlib import Path

from ledger.verify.checks import judge
from ledger.verify.container import Limits, read_file
from ledger.verify.trust import Trust


def main(bundle: Path, trust_file: Path) -> int:
    trust = Trust.load(trust_file)
    verdict = judge(read_file(bundle, Limits()), trust)
    print(verdict.verdict)
    for problem in (*verdict.errors, *verdict.warnings):
        print(f"  {problem.code}: {problem.detail} ({problem.where})")
    # Only a VERIFIED bundle proves anything; then `proved` holds what, and rows come from the proved bytes alone.
    if verdict.proved is not None:
        proved = verdict.proved
        print("who vouches:", ", ".join(f"{voucher.name} ({voucher.role})" for voucher in proved.vouchers))
        print(f"{proved.case}: as of {proved.sealed} by the ledger's clock, these entries and no others:")
        for row in proved.rows():
            print(f"  {row.index:>6}  {row.event['time']}  {row.event['type']}")
    return verdict.exit_code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
