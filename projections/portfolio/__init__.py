"""Findings counted over all cases: by rule, outcome, agency, product and week, with the way down to the cases."""
