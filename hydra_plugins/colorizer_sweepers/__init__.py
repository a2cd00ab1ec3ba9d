"""Hydra finds sweepers only below the namespace package `hydra_plugins`."""
