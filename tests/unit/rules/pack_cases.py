"""For every rule of every shipped pack: a case that passes and one that does not, in the words of
`make_pack_vectors.py`. Places count from the registration, which is event 0."""

from __future__ import annotations

from cases_cn import CN
from cases_dp import DP
from cases_fines import FINES
from cases_uk import UK
from cases_us import BK, DC, IN, MA, NY, US

CASES = {
    "cn-card": CN,
    "us-regf": US,
    "us-ma": MA,
    "us-dc": DC,
    "us-ny": NY,
    "us-bk": BK,
    "in-rbi": IN,
    "uk-conc": UK,
    "privacy": DP,
    "example-fines": FINES,
}
