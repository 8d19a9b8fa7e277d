"""For all tests: hypothesis looks at values, never at clocks.

`make fuzz` tries many more values, and other ones each time; what fails is kept and tried first.
"""

import os

from hypothesis import settings

settings.register_profile("isthmus", deadline=None)
settings.register_profile(
    "fuzz", deadline=None, max_examples=int(os.environ.get("FUZZ_EXAMPLES", "20000"))
)
settings.load_profile("fuzz" if "FUZZ_EXAMPLES" in os.environ else "isthmus")
