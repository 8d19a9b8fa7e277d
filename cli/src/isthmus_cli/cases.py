"""Cases: the tests that objects hold, one by one, and how each ended."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from isthmus_api.comparison import Failure
from isthmus_api.model import Model
from isthmus_api.problems import Location
from isthmus_api.resources import Resource


@dataclass(frozen=True, slots=True)
class Case:
    """One test of one object, ready to run."""

    subject: str
    name: str
    location: Location | None
    check: Callable[[], list[Failure]]

    def fits(self, text: str) -> bool:
        """Whether `text` is in the name of the object or of the test, in upper or lower case."""
        return text.lower() in f"{self.subject} {self.name}".lower()


@dataclass(frozen=True, slots=True)
class Result:
    """How a case ended; without failures it passed."""

    case: Case
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether everything came out as expected."""
        return not self.failures


def case(
    resource: Resource[Model], *, index: int, name: str, check: Callable[[], list[Failure]]
) -> Case:
    """The test number `index` of an object."""
    location = resource.origin.locate(("spec", "tests", index))
    return Case(str(resource.key), name, location, check)


def run(found: Case) -> Result:
    """Run a case. Whatever goes wrong, the cases after it run too."""
    started = time.perf_counter()
    try:
        failures = found.check()
    except Exception as error:
        message = f"this is a mistake of Isthmus: {type(error).__name__}: {error}"
        failures = [Failure(message)]
    return Result(found, tuple(failures), time.perf_counter() - started)
