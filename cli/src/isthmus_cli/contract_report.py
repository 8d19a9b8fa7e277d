"""What a new document of a vendor breaks, Route by Route, for people and for machines.

Route default/product-search  breaks
  error  FieldMissing  GET /products/search  $.hits[].rating
    the answer has no field $.hits[].rating any more
    mapping.yaml:14:17  Mapping default/search-with-prices spec.expression
    14 |         "rating": rating
       |                   ^
    help: it may be called 'stars' now
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from isthmus_api.contracts import places
from isthmus_api.contracts.findings import Finding
from isthmus_api.contracts.operations import Directory
from isthmus_api.contracts.places import Spot
from isthmus_api.problems import Severity, field_path
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_cli import report


@dataclass(frozen=True, slots=True)
class Affected:
    """A Route that calls the Connector, and what is different for it."""

    route: Resource[RouteSpec]
    findings: tuple[Finding, ...]

    @property
    def breaks(self) -> bool:
        """Whether something is sure to go wrong."""
        return any(each.severity is Severity.ERROR for each in self.findings)


def show(
    affected: Sequence[Affected],
    resources: Resources,
    *,
    connector: str,
    old: Directory | None,
    new: Directory,
    output: report.Output,
) -> None:
    """Print what was found."""
    if output == "json":
        click.echo(_as_json(affected, resources, connector, old, new))
        return
    for each in affected:
        if each.findings:
            click.echo("\n".join(_route(each, resources)) + "\n")
    if old is None:
        click.echo(
            "There is no older document to compare with, so types and values are not compared; "
            "name it with --from OLD.\n"
        )
    click.echo(_summary(affected, connector))


def _summary(affected: Sequence[Affected], connector: str) -> str:
    broken = sum(each.breaks for each in affected)
    shaky = sum(bool(each.findings) and not each.breaks for each in affected)
    called = f"{report.number(len(affected), 'Route')} that call{'s' if len(affected) == 1 else ''}"
    return f"{broken} broken, {shaky} may break, of {called} {connector}"


def _route(affected: Affected, resources: Resources) -> list[str]:
    verb = "breaks" if affected.breaks else "may break"
    lines = [click.style(report.printable(f"{affected.route.key}  {verb}"), bold=True)]
    for finding in affected.findings:
        lines += [f"  {line}" for line in _finding(finding, affected.route, resources)]
    return lines


def _finding(finding: Finding, route: Resource[RouteSpec], resources: Resources) -> list[str]:
    colour = "red" if finding.severity is Severity.ERROR else "yellow"
    place = finding.json_path or finding.parameter
    head = (finding.kind, finding.operation, place)
    lines = [
        f"{click.style(finding.severity, fg=colour, bold=True)}  "
        + report.printable("  ".join(part for part in head if part)),
        f"  {report.printable(finding.message)}",
    ]
    spot = places.of_read(finding, route, resources) or places.of_call(finding, route)
    at = f"{spot.location}  " if spot.location else ""
    lines.append(f"  {report.printable(f'{at}{spot.subject} {field_path(spot.path)}')}")
    lines += report.excerpt(spot.location, colour=colour) if spot.location else []
    if finding.hint:
        lines.append(f"  {click.style('help:', fg='cyan')} {report.printable(finding.hint)}")
    return lines


def _as_json(
    affected: Sequence[Affected],
    resources: Resources,
    connector: str,
    old: Directory | None,
    new: Directory,
) -> str:
    findings = [
        _plain(finding, each.route, resources) for each in affected for finding in each.findings
    ]
    severities = [finding["severity"] for finding in findings]
    document = {
        "connector": connector,
        "against": {"file": new.document.name, "version": new.document.version},
        "from": {"file": old.document.name, "version": old.document.version} if old else None,
        "findings": findings,
        "summary": {
            "routes": len(affected),
            "broken": sum(each.breaks for each in affected),
            "errors": severities.count(Severity.ERROR),
            "warnings": severities.count(Severity.WARNING),
        },
    }
    return json.dumps(document, indent=2)


def _plain(finding: Finding, route: Resource[RouteSpec], resources: Resources) -> dict[str, Any]:
    read = places.of_read(finding, route, resources)
    return {
        "severity": finding.severity,
        "kind": finding.kind,
        "route": str(route.key).removeprefix("Route "),
        "operation": finding.operation,
        "side": finding.side,
        "jsonPath": finding.json_path or None,
        "parameter": finding.parameter or None,
        "message": finding.message,
        "hint": finding.hint,
        "call": _spot(places.of_call(finding, route)),
        "read": _spot(read) if read else None,
    }


def _spot(spot: Spot) -> dict[str, Any]:
    location = spot.location
    return {
        "object": spot.subject,
        "field": field_path(spot.path),
        "file": location.file if location else None,
        "line": location.line if location else None,
        "column": location.column if location else None,
    }
