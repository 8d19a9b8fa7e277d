"""What a run prints: the figures, the verdict, what was left out; and the same as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import goals
from journal import findings as journal_findings
from scale import findings

_UNKNOWN: Final[Mapping[str, str]] = MappingProxyType({})


def text(
    results: Sequence[goals.Result],
    left_out: Sequence[str],
    scale: findings.Findings | None = None,
    conditions: Mapping[str, str] = _UNKNOWN,
    journal: journal_findings.Findings | None = None,
    rows: Sequence[goals.Row] = (),
) -> str:
    """Write the whole report."""
    parts = ["Figures (medians over the rounds)", _table(_figures(results))] if results else []
    verdict = goals.rows(results)
    if scale and (scale.applied or scale.pods):
        parts += ["", "The operator", _table(scale.figures())]
        verdict += scale.rows()
    if journal and journal.homes:
        parts += ["", "The journal", _table(journal.figures())]
    if journal and journal.carried:
        parts += ["", "Deliveries", _table(journal.through_http())]
    verdict += (*(journal.rows() if journal else ()), *rows)
    if verdict:
        parts += ["", "Ratios of this run, with floor and aim", _table(_verdict(verdict))]
    else:
        parts += ["", "No ratios: they need isthmus and a peer in the same run."]
    if left_out:
        parts += ["", "Left out", *(f"  - {line}" for line in left_out)]
    if conditions:
        parts += ["", "Conditions", *(f"  - {what}: {how}" for what, how in conditions.items())]
    return "\n".join(parts)


def document(
    results: Sequence[goals.Result],
    left_out: Sequence[str],
    options: Mapping[str, object],
    scale: findings.Findings | None = None,
    conditions: Mapping[str, str] = _UNKNOWN,
    journal: journal_findings.Findings | None = None,
    rows: Sequence[goals.Row] = (),
) -> dict[str, object]:
    """Give the report as JSON."""
    verdict = [
        *goals.rows(results),
        *(scale.rows() if scale else ()),
        *(journal.rows() if journal else ()),
        *rows,
    ]
    return {
        "conditions": dict(conditions),
        "options": dict(options),
        "results": [dataclasses.asdict(result) for result in results],
        "operator": dataclasses.asdict(scale) if scale else None,
        "journal": dataclasses.asdict(journal) if journal else None,
        "goals": [{**dataclasses.asdict(row), "verdict": row.verdict} for row in verdict],
        "leftOut": list(left_out),
    }


def _figures(results: Iterable[goals.Result]) -> list[list[str]]:
    lines = [
        [
            *("work", "engine", "req/s", "CPU us", "p50 ms", "p99 ms", "p99@70%"),
            *("RSS MB", "PSS MB", "start"),
        ]
    ]
    for result in results:
        if not result.closed:
            continue
        memory, paced = result.memory, result.paced_p99(result.engine)
        lines.append(
            [
                result.work.upper(),
                result.engine,
                f"{result.rate:,.0f}",
                f"{result.cpu_per_request() * 1e6:.0f}" if result.cpu else "-",
                f"{result.p50() * 1000:.2f}",
                f"{result.p99() * 1000:.2f}",
                f"{paced * 1000:.2f}" if paced else "-",
                f"{memory.rss / goals.MB:.0f}" if memory else "-",
                f"{memory.pss / goals.MB:.0f}" if memory else "-",
                f"{result.start():.2f} s",
            ]
        )
    return lines


def _verdict(rows: Iterable[goals.Row]) -> list[list[str]]:
    lines = [["work", "what", "against", "ours", "theirs", "value", "floor", "aim", "verdict"]]
    for row in rows:
        sign = ">=" if row.more_is_better else "<="
        lines.append(
            [
                row.work.upper(),
                row.what,
                row.against,
                row.ours,
                row.theirs,
                f"{row.value:.2f}{row.unit}",
                f"{sign} {row.floor:g}{row.unit}",
                f"{sign} {row.aim:g}{row.unit}",
                row.verdict,
            ]
        )
    return lines


def _table(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    ruled = [lines[0], ["-" * width for width in widths], *lines[1:]]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in ruled
    )
