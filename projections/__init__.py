"""Readings of the ledger: disposable, rebuilt from the record at any time."""
