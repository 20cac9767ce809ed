"""Personal data that may be forgotten: protecting keys, kept wrapped, destroyed on erasure."""
