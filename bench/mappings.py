"""What a map step adds to its engine, and how far that is from Python written by hand.

    python bench/mappings.py [--rounds 9] [--seconds 0.5]

The order of the workload `map` with 1, 20 and 200 lines, from JSON text to JSON text. Prints
microseconds of CPU an order, the median of interleaved rounds. Step and engine must answer the
same; what is written by hand must, too, for the 20 lines in which no rounding meets a half.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import jlens
import orjson
import uvloop
import yaml

import expected
import payloads
from isthmus_api.plan import RoutePlan
from isthmus_runtime import tracing
from isthmus_runtime.body import Body
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.route import Route

SIZES: Final = (1, 20, 200)
MAPPING: Final = Path(__file__).with_name("isthmus") / "map" / "mapping.yaml"

Translate = Callable[[bytes], Any]
"""From the text of an order to that of a document."""


def by_hand(text: bytes) -> bytes:
    """Python that somebody wrote for just this order."""
    return orjson.dumps(expected.mapped(orjson.loads(text)))


def bare(source: str) -> Translate:
    """The engine, and nothing around it."""
    compiled = jlens.Expression(source)
    return lambda text: compiled.evaluate_json(text.decode())


def step(source: str) -> Translate:
    """The map step of a Route, as the runtime compiles it."""
    written = {"version": 1, "namespace": "default", "name": "bench"}
    plan = RoutePlan.from_json(
        json.dumps(
            {
                **written,
                "source": {"http": {"path": "/"}},
                "steps": [{"map": {"mapping": "order"}}],
                "mappings": {"order": {"expression": source}},
            }
        ).encode()
    )
    run, trace = Route(plan, {})._run, tracing.of([])

    def translate(text: bytes) -> bytes:
        x = Exchange(Body(text), variables={}, deadline=float("inf"), trace=trace)
        if run(x) is not None:
            raise SystemExit("the step did not end at once")
        return x.body.json()

    return translate


def measure(rounds: int, seconds: float) -> None:
    """Print a line for each size."""
    source = yaml.safe_load(MAPPING.read_text())["spec"]["expression"]
    ways: dict[str, Translate] = {"by hand": by_hand, "engine": bare(source), "step": step(source)}
    print(f"{'lines':>5}" + "".join(f"{name:>12}" for name in ways) + "   step by engine, by hand")
    for lines in SIZES:
        text = payloads.encode(payloads.order(lines))
        answers = {name: json.loads(translate(text)) for name, translate in ways.items()}
        if answers["step"] != answers["engine"]:
            raise SystemExit(f"the step does not answer as its engine does, for {lines} lines")
        if lines == payloads.LINES and answers["by hand"] != answers["engine"]:
            raise SystemExit("what is written by hand is not what the engine answers")
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, translate in ways.items():
                took[name].append(_round(translate, text, seconds))
        found = {name: statistics.median(each) for name, each in took.items()}
        ratios = (
            f"{found['step'] / found['engine'] - 1:+.1%}, {found['step'] / found['by hand']:.2f}x"
        )
        print(
            f"{lines:>5}" + "".join(f"{each:9.1f} us" for each in found.values()) + f"   {ratios}"
        )


def _round(translate: Translate, text: bytes, seconds: float) -> float:
    times, until = 0, time.perf_counter() + seconds
    began = time.process_time()
    while time.perf_counter() < until:
        for _ in range(10):
            translate(text)
        times += 10
    return (time.process_time() - began) / times * 1e6


async def _in_a_loop(rounds: int, seconds: float) -> None:
    measure(rounds, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5)
    given = parser.parse_args()
    uvloop.run(_in_a_loop(given.rounds, given.seconds))


if __name__ == "__main__":
    main()
