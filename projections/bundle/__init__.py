"""Gathers entries and proofs of a case into one file. Judges nothing."""
