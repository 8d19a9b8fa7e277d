"""Scale: what the operator costs with thousands of Routes, and what `kubectl scale` takes.

fleet       the Routes, Connectors and Mappings, and a bare client that applies them
plane       a kube-apiserver of its own for each measurement
subject     the operator's process: its metrics, CPU and memory
bare        the same writes without an operator: what the API server itself can do
trials      what is measured on the plane
pods        what is measured on a real cluster
crowd       the command line in front of thousands of Routes
findings    figures and rows for the report
"""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
# The programs of a cluster are started by what the tests use, too.
sys.path += [str(ROOT / "tests" / each) for each in ("cluster", "support")]
