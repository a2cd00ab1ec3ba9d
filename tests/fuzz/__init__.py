"""Wrong input of every kind, at random but repeatable; see `python -m tests.fuzz --help`."""
