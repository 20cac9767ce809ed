"""Views kept exactly once from the sealed sequence, and rebuilt from it at any time."""
