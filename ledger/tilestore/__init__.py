"""Where the published tree lives: C2SP tiles and the newest checkpoint."""
