"""Calls: functions of JSONata that are refused, or do something else than they seem to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from isthmus_api.expressions.lint.site import Finding, Site
from isthmus_api.expressions.syntax import Shape


def eval_call(site: Site) -> Iterator[Finding]:
    """`$eval` hides from us what an expression reads, and runs what a message says."""
    if site.node.shape is Shape.VARIABLE and site.node.text == "eval":
        yield site.finding(
            "error",
            "EvalRefused",
            "$eval is refused: it runs text as code, which no check can see",
            "write the expression itself, or look the case up with $lookup or $table",
        )


_OFFSET: Final = re.compile(r"[+-]?[0-9]{4}")


def zone_name(site: Site) -> Iterator[Finding]:
    """JSONata's date functions know offsets only, and an offset is wrong half of the year."""
    ours = {"fromMillis": "dateFormat", "toMillis": "dateParse"}.get(site.callee or "")
    arguments = site.node.children[1:]
    if ours is None or len(arguments) < 3:
        return
    zone = arguments[2]
    if zone.shape is Shape.STRING and not _OFFSET.fullmatch(zone.text):
        written = ", ".join(site.subject.text(each) for each in arguments)
        yield site.finding(
            "warning",
            "ZoneName",
            f"${site.callee} takes offsets such as +0200, not the time zone {zone.text}",
            f"${ours}({written})",
            zone,
        )
