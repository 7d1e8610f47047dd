"""``python -m tinyseq``: the command line."""

from tinyseq.cli import command

command()
