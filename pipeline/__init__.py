"""Stillhunt: finds networks of accounts that distil a model, in the request logs of its API.

The distribution and the command are called `stillhunt`; this is its import package. It imports nothing
on its own, so that `stillhunt --help` stays fast.
"""

__version__ = "0.1.0"
