"""Many jobs from one command line: what is left to do, doing it, and what became of it."""
