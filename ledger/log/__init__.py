"""The ordered log of one shard: one port, one adapter per file."""
