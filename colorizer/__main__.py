"""`python -m colorizer` is `colorizer`."""

from colorizer.cli import entry_point

if __name__ == "__main__":
    entry_point()
