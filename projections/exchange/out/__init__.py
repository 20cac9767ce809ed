"""The ledger's cases in the formats of other people's tools."""
