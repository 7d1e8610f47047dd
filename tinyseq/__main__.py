"""``python -m tinyseq``: the command line."""

import sys

from tinyseq.cli import main

sys.exit(main())
