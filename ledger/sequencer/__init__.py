"""How order is fixed: term, append, read back, seal, checkpoint, receipts, tiles."""
