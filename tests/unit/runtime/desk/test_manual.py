"""Messages that a person has a Route deliver."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from manifests_text import plans

from isthmus_api.plan import RoutePlan
from isthmus_runtime.desk.manual import CannotRun, ManualRun
from isthmus_runtime.journal.entries import Draft

NOW = datetime(2026, 1, 31, 11, 30, tzinfo=UTC)
WEBHOOK = {"webhook": {"path": "/orders", "open": True}}
NIGHTLY = {"schedule": {"cron": "0 3 * * *", "timeZone": "Europe/Amsterdam"}}


def planned(source: dict[str, Any], **spec: Any) -> RoutePlan:
    steps = [{"map": {"expression": "$"}}]
    manifest = {
        "apiVersion": "isthmus.dev/v1alpha1",
        "kind": "Route",
        "metadata": {"name": "orders"},
        "spec": {"source": source, "steps": steps, **spec},
    }
    [plan] = plans(yaml.safe_dump(manifest))
    return plan


def drafted(
    source: dict[str, Any], text: str | None = None, /, *, spec: Any = None, **given: Any
) -> Draft:
    return ManualRun(planned(source, **(spec or {})), clock=lambda: NOW).draft(text, given)


def test_a_body_stays_byte_for_byte_and_has_key_and_version_as_others_do() -> None:
    text = '{"number":  1234567890123456789, "changed": 3}'
    message = {"key": "{% $string(number) %}", "version": "{% $string(changed) %}"}

    draft = drafted(WEBHOOK, text, spec={"message": message})

    assert draft.body == text.encode()
    assert (draft.route, draft.key, draft.version) == ("default/orders", "1234567890123456789", "3")


def test_parameters_are_fields_of_the_body() -> None:
    draft = drafted(WEBHOOK, '{"number": 1234567890123456789, "since": 1}', since="2026", full=True)

    assert json.loads(draft.body) == {
        "number": 1234567890123456789,
        "since": "2026",
        "full": True,
    }


def test_a_schedule_says_what_it_would_say_now() -> None:
    assert json.loads(drafted(NIGHTLY, since="2026-01-01").body) == {
        "scheduledAt": "2026-01-31T12:30:00+01:00",
        "since": "2026-01-01",
    }


def test_a_schedule_with_a_body_of_its_own_says_that() -> None:
    source = {"schedule": {**NIGHTLY["schedule"], "body": {"day": "{% $scheduledAt %}"}}}

    draft = drafted(source, full=False)

    assert json.loads(draft.body) == {"day": "2026-01-31T12:30:00+01:00", "full": False}
    assert json.loads(draft.request) == {"scheduledAt": "2026-01-31T11:30:00+00:00"}


def test_a_schedule_that_waits_for_its_earlier_messages_waits_here_too() -> None:
    source = {"schedule": {**NIGHTLY["schedule"], "overlap": "queue"}}

    assert drafted(source).key == "schedule"
    assert drafted(NIGHTLY).key is None


def test_a_text_is_a_body_too() -> None:
    draft = drafted(WEBHOOK, "sku;stock\nA;1\n")

    assert (draft.body, draft.content_type) == (b"sku;stock\nA;1\n", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("source", "text", "given", "said"),
    [
        pytest.param(WEBHOOK, None, {}, "give a body, or parameters", id="nothing"),
        pytest.param(WEBHOOK, "[1]", {"a": 1}, "which is no object", id="fields of a list"),
        pytest.param(WEBHOOK, "a text", {"a": 1}, "which is no object", id="fields of a text"),
        pytest.param({"http": {"path": "/o", "open": True}}, "{}", {}, "curl", id="no messages"),
        pytest.param(
            {"schedule": {"cron": "@daily", "body": "{% $number('x') %}"}},
            None,
            {},
            "the body of default/orders cannot be made",
            id="a schedule that fails",
        ),
    ],
)
def test_what_makes_no_message_says_why(
    source: dict[str, Any], text: str | None, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(CannotRun, match=said):
        drafted(source, text, **given)
