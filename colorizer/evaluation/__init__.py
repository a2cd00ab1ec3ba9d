"""The evaluation protocol in full: believable colour beside fidelity, with confidence intervals.

`images` scores every image by itself, `estimates` makes numbers and intervals of that, `references`
has the rows that colorizers are compared with, `afc` the learned 2AFC.
"""
