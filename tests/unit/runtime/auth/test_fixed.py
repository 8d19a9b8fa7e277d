"""Fixed credentials: made once of Secrets as they are, and anew when those change."""

import pytest

from isthmus_runtime.connectors.auth.fixed import Fixed
from isthmus_runtime.connectors.auth.scheme import Credentials
from isthmus_runtime.http.messages import Response
from isthmus_runtime.secrets import MissingSecret


class Secret:
    """One Secret, how often something was made of it, and what is."""

    def __init__(self) -> None:
        self.value: str | None = "one"
        self.made = 0
        self.scheme = Fixed(self.read, self.make)

    def read(self) -> str:
        if self.value is None:
            raise MissingSecret("gone")
        return self.value

    def make(self, value: str) -> Credentials:
        self.made += 1
        return Credentials(query=value)


def test_credentials_are_made_once_and_again_when_the_secret_changes() -> None:
    secret = Secret()

    queries = [secret.scheme.at_hand().query for _ in range(3)]
    secret.value = "two"
    queries += [secret.scheme.at_hand().query for _ in range(2)]

    assert queries == ["one", "one", "one", "two", "two"]
    assert secret.made == 2


def test_a_secret_that_is_gone_is_missed_at_the_next_call() -> None:
    secret = Secret()
    secret.scheme.at_hand()
    secret.value = None

    with pytest.raises(MissingSecret):
        secret.scheme.at_hand()


def test_a_refusal_is_worth_another_attempt_where_the_secret_has_changed_since() -> None:
    secret = Secret()
    used = secret.scheme.at_hand()
    refused = Response(401)

    assert not secret.scheme.refused(used, refused)
    secret.value = "two"
    assert secret.scheme.refused(used, refused)
    assert not secret.scheme.refused(secret.scheme.at_hand(), refused)
