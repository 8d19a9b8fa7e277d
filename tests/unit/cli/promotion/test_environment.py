"""What an overlay says of the objects that it builds on."""

import yaml

from isthmus_cli.promotion import environment, sets
from isthmus_cli.promotion.environment import Field
from isthmus_cli.promotion.sets import Object

CONNECTOR = """
apiVersion: isthmus.dev/v1alpha1
kind: Connector
metadata: {name: erp}
spec:
  http:
    baseUrl: http://base
    timeout: 2s
    auth: {bearer: {token: {secretKeyRef: {name: erp, key: token}}}}
"""
ROUTE = """
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: it}
spec:
  env: {site: base}
  replicas: 1
  steps: [{call: {connector: erp, path: /url}}]
"""
KEY = ("isthmus.dev", "Connector", "erp")


def objects(*texts: str) -> tuple[Object, ...]:
    return tuple(sets.read("---\n".join(texts)))


def test_fields_that_differ_are_found_by_their_path() -> None:
    base = objects(CONNECTOR, ROUTE)
    built = objects(
        CONNECTOR.replace("http://base", "http://test").replace("{name: erp, k", "{name: b, k"),
        ROUTE.replace("site: base", "site: test").replace("replicas: 1", "replicas: 3"),
    )

    found = list(environment.replaced(base, built))

    assert [(field.key[1], ".".join(map(str, field.path))) for field in found] == [
        ("Connector", "spec.http.auth.bearer.token.secretKeyRef.name"),
        ("Connector", "spec.http.baseUrl"),
        ("Route", "spec.env.site"),
        ("Route", "spec.replicas"),
    ]
    assert [field.is_name for field in found] == [True, True, False, False]
    assert [field.is_setting for field in found] == [False, False, True, False]


def test_nothing_differs_where_nothing_is_said() -> None:
    assert list(environment.replaced(objects(CONNECTOR, ROUTE), objects(ROUTE, CONNECTOR))) == []


def test_a_field_is_said_even_where_it_is_said_to_be_what_it_was() -> None:
    address = Field(KEY, ("spec", "http", "baseUrl"))
    timeout = Field(KEY, ("spec", "http", "timeout"))
    absent = Field(KEY, ("spec", "http", "proxy", "url"))
    fields = [address, timeout, absent]

    (marked,) = environment.marked(objects(CONNECTOR), fields)
    patched = yaml.safe_load(yaml.safe_dump(marked))
    patched["spec"]["http"]["baseUrl"] = "http://base"

    assert list(environment.unsaid({KEY: marked}, fields)) == [address, timeout]
    assert list(environment.unsaid({KEY: patched}, fields)) == [timeout]


def test_marks_leave_the_objects_as_they_are() -> None:
    (before,) = objects(CONNECTOR)

    list(environment.marked([before], [Field(KEY, ("spec", "http", "baseUrl"))]))

    assert before.value == yaml.safe_load(CONNECTOR)
