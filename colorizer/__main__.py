"""`python -m colorizer` is `colorizer`."""

from colorizer.cli import entry_point

entry_point()
