"""JUnit XML, which build servers read: one test suite for each object."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from xml.etree import ElementTree

from isthmus_cli.cases import Result


def document(results: Iterable[Result]) -> bytes:
    """All results as JUnit XML."""
    grouped = groupby(results, key=lambda result: result.case.subject)
    suites = [_suite(subject, list(found)) for subject, found in grouped]
    root = ElementTree.Element("testsuites", _totals(suites))
    root.extend(suites)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _totals(suites: Sequence[ElementTree.Element]) -> dict[str, str]:
    counted = {
        name: str(sum(int(suite.get(name, "0")) for suite in suites))
        for name in ("tests", "failures")
    }
    seconds = sum(float(suite.get("time", "0")) for suite in suites)
    return {"name": "isthmus", **counted, "errors": "0", "time": f"{seconds:.3f}"}


def _suite(subject: str, results: Sequence[Result]) -> ElementTree.Element:
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": _xml(subject),
            "tests": str(len(results)),
            "failures": str(sum(not result.passed for result in results)),
            "errors": "0",
            "skipped": "0",
            "time": f"{sum(result.seconds for result in results):.3f}",
        },
    )
    suite.extend(_case(result) for result in results)
    return suite


def _case(result: Result) -> ElementTree.Element:
    found = result.case
    attributes = {
        "classname": _xml(found.subject),
        "name": _xml(found.name),
        "time": f"{result.seconds:.3f}",
    }
    if found.location:
        attributes["file"] = _xml(found.location.file)
        attributes["line"] = str(found.location.line or 1)
    case = ElementTree.Element("testcase", attributes)
    if not result.passed:
        message = _xml(result.failures[0].message)
        failure = ElementTree.SubElement(case, "failure", {"type": "failed", "message": message})
        failure.text = _xml("\n".join(line for each in result.failures for line in each.lines))
    return case


def _xml(text: str) -> str:
    """Text without the characters that XML 1.0 has no way to write."""
    return "".join(c if c in "\t\n\r" or _is_char(ord(c)) else "\ufffd" for c in text)


def _is_char(point: int) -> bool:
    return 0x20 <= point <= 0xD7FF or 0xE000 <= point <= 0xFFFD or point >= 0x10000
