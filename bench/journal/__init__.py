"""The journal: what it costs to lose nothing, beside bare inserts of the same rows.

messages    what is accepted
bare        the same rows, inserted in batches by nobody else, as durably
subject     a process that does one of these things, and says how long it took
trials      what is measured, in turn
findings    figures and rows for the report
"""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
# The private PostgreSQL is the tests' own.
sys.path.append(str(ROOT / "tests" / "support"))
"""Where `postgres` is."""
