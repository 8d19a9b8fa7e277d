"""Makes a release: `make release`, `make release-check`, `make lock-images`."""

import argparse
import sys
import tempfile
from pathlib import Path

from . import assembly, check, edition, images


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; 1 where it is refused, with the reason on standard error."""
    options = _parser().parse_args(arguments)
    try:
        if options.lock:
            assembly.write_lock(edition.Edition(edition.version(), 0), options.images)
        else:
            _release(options)
    except edition.Refused as refused:
        print(f"release: {refused}", file=sys.stderr)
        return 1
    return 0


def _release(options: argparse.Namespace) -> None:
    present = edition.present()
    target = options.folder or edition.ROOT / "dist" / present.version
    with tempfile.TemporaryDirectory(prefix="isthmus-release-") as work:
        made = Path(work, "first")
        assembly.assemble(made, present, options.images)
        if options.check:
            check.compare(made, check.make_again(Path(work), options.images))
        assembly.replace(target, made)
    print(target)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m release", description=main.__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="default: dist/VERSION; replaced")
    parser.add_argument("--images", type=_parts, default=images.PARTS, help="by comma; '' for none")
    parser.add_argument("--check", action="store_true", help="make it twice and compare")
    parser.add_argument("--lock", action="store_true", help="only write images/debian.lock")
    return parser


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(part for part in text.split(",") if part)
    unknown = [part for part in parts if part not in images.PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no image {unknown[0]!r}: {', '.join(images.PARTS)}")
    return parts


if __name__ == "__main__":
    sys.exit(main())
