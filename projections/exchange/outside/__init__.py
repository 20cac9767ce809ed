"""Statements of outside sources: what a carrier, a gateway or a bank says it carried, beside what the ledger holds."""
