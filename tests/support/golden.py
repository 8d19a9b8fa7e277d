"""Golden files: texts that users see, kept as files so that a change of them is looked at."""

import os
from pathlib import Path


def compare(file: Path, text: str) -> None:
    """Compare a text with a file; ISTHMUS_GOLDEN=write writes the file first."""
    if os.environ.get("ISTHMUS_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text(), f"ISTHMUS_GOLDEN=write writes {file.name}; look at its diff"
