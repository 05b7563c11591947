"""`python -m headtests`: the program `headtests`."""

import sys

from headtests.cli import main

sys.exit(main())
