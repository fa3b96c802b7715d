"""Mutation runs: small errors put into the code one at a time, each of which a quick test must notice.

`areas.py` says what is changed and which tests must see it, `sites.py` finds the places, `forks.py` runs the tests on
a changed module, `planted.py` does the same for the RTL, `trials.py` keeps the outcomes, `reasons.py` why some errors
are none, and `__main__.py` is `make mutate`.
"""
