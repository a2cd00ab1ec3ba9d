"""The live page of `colorizer dashboard`: runs as they go, read from their directories alone."""
