"""How long `isthmus diff --from` takes on a repository of many Routes.

    python bench/diffs.py [--routes 1000] [--rounds 5]

Each Route has a Mapping with a test, and calls two of 20 Connectors. Prints the median of wall time
and of CPU, in seconds, of the installed command in a process of its own: with nothing changed, with
one Mapping changed, and with one Connector changed, which a tenth of the Routes call.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

COMMAND: Final = Path(sys.executable).parent / "isthmus"
CONNECTORS: Final = 20
KIND: Final = "apiVersion: isthmus.dev/v1alpha1\nkind: "


def connector(number: int, timeout: str = "2s") -> str:
    spec = f"{{http: {{baseUrl: 'https://c{number}.example.com', timeout: {timeout}}}}}"
    return f"{KIND}Connector\nmetadata: {{name: c{number}}}\nspec: {spec}\n"


def mapping(number: int, field: str = "name") -> str:
    expression = (
        f'{{"items": [hits.{{"sku": sku, "{field}": name, "price": $lookup($prices, sku)}}], '
        f'"page": {number}}}'
    )
    return (
        f"{KIND}Mapping\nmetadata: {{name: m{number}}}\nspec:\n  expression: '{expression}'\n"
        "  tests:\n    - name: a hit\n      input: {hits: [{sku: a, name: b}]}\n"
        "      variables: {prices: {a: 1}}\n"
        f"      expect: {{items: [{{sku: a, name: b, price: 1}}], page: {number}}}\n"
    )


def route(number: int) -> str:
    first, second = number % CONNECTORS, (number + 1) % CONNECTORS
    return (
        f"{KIND}Route\nmetadata: {{name: r{number}}}\nspec:\n"
        f"  source: {{http: {{path: /r{number}}}}}\n  steps:\n"
        f"    - call: {{connector: c{first}, path: '/search/{{% $request.query.q %}}'}}\n"
        f"    - call: {{connector: c{second}, path: /prices}}\n      into: prices\n"
        f"    - map: {{mapping: m{number}}}\n"
    )


def repository(folder: Path, routes: int) -> None:
    """Write the manifests, a file for each Route, and commit them."""
    for number in range(CONNECTORS):
        (folder / f"c{number}.yaml").write_text(connector(number))
    for number in range(routes):
        (folder / f"r{number}.yaml").write_text(f"{mapping(number)}---\n{route(number)}")
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
    for arguments in (("init", "-q"), ("add", "."), (*who, "commit", "-q", "-m", "all")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)


def timed(folder: Path, *, expected: int) -> tuple[float, float]:
    """Seconds of wall time and of CPU of one run."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(
        [COMMAND, "diff", ".", "--from", "HEAD"], cwd=folder, stdout=subprocess.PIPE, check=False
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode != expected:
        raise SystemExit(f"isthmus diff ended with {ended.returncode}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure the three changes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--routes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        repository(folder, given.routes)
        changes = {
            "nothing": ("c0.yaml", connector(0), 0),
            "one Mapping": ("r0.yaml", f"{mapping(0, 'title')}---\n{route(0)}", 1),
            "one Connector": ("c0.yaml", connector(0, "5s"), 1),
        }
        print(f"{given.routes} Routes; {given.rounds} rounds; load {os.getloadavg()[0]:.1f}")
        for name, (file, text, expected) in changes.items():
            before = (folder / file).read_text()
            (folder / file).write_text(text)
            rounds = [timed(folder, expected=expected) for _ in range(given.rounds)]
            (folder / file).write_text(before)
            wall, cpu = (statistics.median(each) for each in zip(*rounds, strict=True))
            print(f"{name:14} {wall:5.2f} s wall  {cpu:5.2f} s CPU")


if __name__ == "__main__":
    main()
