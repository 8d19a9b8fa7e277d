"""For all tests: hypothesis looks at values, never at clocks; Ctrl-C is what it always is.

`make fuzz` tries many more values, and other ones each time; what fails is kept and tried first.
"""

import os
import signal

from hypothesis import settings

settings.register_profile("isthmus", deadline=None)
settings.register_profile(
    "fuzz", deadline=None, max_examples=int(os.environ.get("FUZZ_EXAMPLES", "20000"))
)
settings.load_profile("fuzz" if "FUZZ_EXAMPLES" in os.environ else "isthmus")

# A shell without job control starts what is to run beside it with SIGINT ignored, and so would be
# the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
