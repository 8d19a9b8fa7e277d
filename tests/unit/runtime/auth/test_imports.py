"""What a scheme needs, and costs at the start, is imported by those who use it."""

import subprocess
import sys


def test_a_process_whose_connectors_do_not_sign_imports_no_library_for_it() -> None:
    asked = "import sys, isthmus_runtime.__main__; print(*sorted(sys.modules))"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert not {"awscrt", "oauthlib", "jwt", "cryptography"} & set(said.stdout.split())
