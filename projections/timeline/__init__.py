"""What happened in a case, in order."""
