"""Public helpers for tests: a broker on loopback, faults, forged bundles."""
