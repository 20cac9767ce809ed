"""The findings of every case, kept current as entries are sealed; the exceptions among them, and who owns them."""
