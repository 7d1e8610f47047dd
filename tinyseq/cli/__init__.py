"""The command line; each command has a file of its own.

``tinyseq train | resume | generate | evaluate | prepare | info``.
"""

from tinyseq.cli.program import command, main

__all__ = ["command", "main"]
