"""One method for each type of the catalogue, written by `ledger.sdk.generate`."""
