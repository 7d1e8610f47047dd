"""``tinyseq info``: who computes what."""

from __future__ import annotations

import argparse
from typing import Any

import tinyseq as ts
from tinyseq.cli.machine import add_machine, use


def add(commands: Any) -> None:
    """Its options."""
    parser = commands.add_parser(
        "info",
        help="show version, backend, instruction set, threads and kernels",
        description="Show version, backend, instruction set, threads and who serves each kernel.",
    )
    add_machine(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Print a table."""
    use(args)
    info = ts.backend.info()
    print(f"tinyseq {ts.__version__}")
    print(f"backend          {info['backend']}")
    print(f"instruction set  {info['isa'] or 'none: NumPy'}")
    print(f"threads          {info['threads']}")
    if info["missing"]:
        print(f"C extension      {info['missing']}")
    print("kernels")
    kernels = info["kernels"]
    assert isinstance(kernels, dict)
    width = max(map(len, kernels)) + 2
    for name, server in kernels.items():
        print(f"  {name:<{width}}{server}")
    return 0
