"""python -m benchmarks: tinyseq beside its fallback and its peers."""

import sys

from benchmarks.command import main

if __name__ == "__main__":
    sys.exit(main())
