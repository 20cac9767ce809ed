"""Who looked at personal data, exported, disclosed or erased it, and what for."""
