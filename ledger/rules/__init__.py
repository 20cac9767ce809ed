"""What the process was: packs of rules, and the findings they make over one case. Pure: the same events, packs
and `as_of` give the same findings on every machine."""
