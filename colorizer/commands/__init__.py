"""Commands: one room each, with its own parser and `main`."""
