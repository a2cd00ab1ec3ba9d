"""The errors that are for the person who started the command, not for a programmer."""


class UserError(Exception):
    """A mistake of the user's: printed as it is, without a traceback; exit status 2.

    The message says what was wrong, where, and what would be right.
    """


class RunError(Exception):
    """A job that was asked for correctly and failed: exit status 1."""


class Pruned(Exception):  # noqa: N818  # it is none
    """Nothing went wrong: a search gave a training up, since others do better."""
