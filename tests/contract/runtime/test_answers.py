"""How answers of systems are read and judged, from real sockets."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from manifests_text import connector, route
from served import Serve, Start
from upstreams import Behave, answer

RETRIED: dict[str, Any] = {"retry": {"attempts": 3, "backoff": {"initial": "1ms", "max": "2ms"}}}
ASK = "- call: {connector: erp, path: /x}"


async def asked(serve: Serve, upstream: Start, answered: Behave, **taken: Any) -> tuple[int, Any]:
    """Status and body of a Route that reads `$` of a system's answer."""
    erp = await upstream(answered)
    served = await serve(
        connector(erp.url, answer=taken), route(f"{ASK}\n- map: {{expression: '$'}}")
    )
    response = await served.get("/it")
    return response.status_code, response.json()


@pytest.mark.parametrize(
    ("taken", "content_type", "body", "read"),
    [
        pytest.param(
            {"as": "json"}, "text/html", b'{"a": 1}', {"a": 1}, id="called something else"
        ),
        pytest.param({"as": "json"}, None, b'\xef\xbb\xbf{"a": 1}', {"a": 1}, id="a mark in front"),
        pytest.param(
            {"as": "json"},
            "application/json; charset=ISO-8859-1",
            b'{"a": "caf\xe9", "n": 12345678901234567890}',
            {"a": "caf\xe9", "n": 12345678901234567890},
            id="JSON in another charset",
        ),
        pytest.param(
            {"charset": "windows-1252"},
            "application/json; charset=utf-8",
            b'{"a": "\x80 5"}',
            {"a": "\u20ac 5"},
            id="a charset that is not true",
        ),
        pytest.param({"as": "text"}, "text/xml", b"<a>\xc3\xa9</a>", "<a>\u00e9</a>", id="a text"),
        pytest.param(
            {"as": "text"}, "text/csv; charset=cp1252", b"\x80;1", "\u20ac;1", id="by another name"
        ),
        pytest.param({"as": "base64"}, "image/png", b"\x00\xff", "AP8=", id="bytes"),
    ],
)
async def test_an_answer_is_read_as_the_connector_says(
    serve: Serve,
    upstream: Start,
    taken: dict[str, str],
    content_type: str | None,
    body: bytes,
    read: Any,
) -> None:
    found = await asked(serve, upstream, answer(body=body, content_type=content_type), **taken)

    assert found == (200, read)


@pytest.mark.parametrize(
    ("taken", "content_type", "body", "said"),
    [
        pytest.param({"as": "json"}, "text/html", b"<html>", "no JSON", id="a page"),
        pytest.param({"as": "text"}, "text/plain", b"\xff\xfe\xfa", "not in the charset utf-8"),
        pytest.param({"as": "text"}, "text/plain; charset=klingon", b"x", "klingon, which is not"),
        pytest.param(
            {"as": "text", "charset": "us-ascii"}, "text/plain", b"\xe9", "not in the charset"
        ),
    ],
)
async def test_an_answer_that_is_something_else_is_the_systems_fault(
    serve: Serve,
    upstream: Start,
    taken: dict[str, str],
    content_type: str,
    body: bytes,
    said: str,
) -> None:
    status, problem = await asked(
        serve, upstream, answer(body=body, content_type=content_type), **taken
    )

    assert (status, problem["type"]) == (502, "urn:isthmus:problem:InvalidAnswer")
    assert said in problem["detail"]


ERRORS = "{% errors[0].message %}"


@pytest.mark.parametrize(
    ("fail_when", "body", "fails"),
    [
        pytest.param(ERRORS, {"data": 1}, False, id="nothing"),
        pytest.param(ERRORS, {"errors": []}, False, id="no error"),
        pytest.param(ERRORS, {"errors": [{"message": "no such sku"}]}, True, id="a text"),
        pytest.param("{% ok = false %}", {"ok": True}, False, id="false"),
        pytest.param("{% ok = false %}", {"ok": False}, True, id="true"),
        pytest.param("{% $status = 200 and $headers.`x-sign` = 'no' %}", {}, True, id="a header"),
        pytest.param("{% {'message': code, 'retry': false} %}", {"code": 7}, True, id="an object"),
    ],
)
async def test_a_failure_in_a_good_answer_fails_the_call(
    serve: Serve, upstream: Start, fail_when: str, body: Any, fails: bool
) -> None:
    status, found = await asked(
        serve, upstream, answer(body, headers=("x-sign: no",)), failWhen=fail_when
    )

    if fails:
        assert (status, found["type"]) == (502, "urn:isthmus:problem:FailureAnswered")
        assert found["detail"] == "erp answered 200 with a failure in it"
    else:
        assert (status, found) == (200, body)


async def test_what_the_system_said_is_there_for_on_error_and_not_for_callers(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({"errors": [{"message": "customer ada@example.com is blocked"}]}))
    handled = """
    - call: {connector: erp, path: /x}
      onError: {use: "{% $failure %}"}
      into: found
    - respond: {body: "{% $found %}"}
    """
    served = await serve(
        connector(erp.url, answer={"failWhen": ERRORS}),
        route(handled),
        route(ASK, name="plain", path="/plain"),
    )

    told = (await served.get("/it")).json()
    plain = await served.get("/plain")

    assert told["reason"] == "FailureAnswered"
    assert "ada@example.com" in told["message"]
    assert "ada@example.com" not in plain.text


async def test_a_failure_that_may_pass_is_tried_again(serve: Serve, upstream: Start) -> None:
    throttled = answer({"errors": [{"extensions": {"code": "THROTTLED"}}]})
    erp = await upstream(throttled, throttled, answer({"data": 1}))
    fail_when = "{% errors ? {'retry': errors.extensions.code = 'THROTTLED'} : false %}"
    served = await serve(connector(erp.url, answer={"failWhen": fail_when}, **RETRIED), route(ASK))

    response = await served.get("/it")

    assert (response.status_code, response.json()) == (200, {"data": 1})
    assert len(erp.arrivals) == 3


async def test_a_failure_for_good_is_not_tried_again(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer({"errors": [{"message": "no"}]}))
    served = await serve(connector(erp.url, answer={"failWhen": ERRORS}, **RETRIED), route(ASK))

    response = await served.get("/it")

    assert (response.status_code, len(erp.arrivals)) == (502, 1)


async def test_a_call_says_it_in_place_of_its_connector(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer(body=b"a;b", content_type="text/csv"))
    own = "- call: {connector: erp, path: /x, answer: {as: text}}\n- map: {expression: '$ & \"!\"'}"
    served = await serve(connector(erp.url, answer={"failWhen": "{% true %}"}), route(own))

    assert (await served.get("/it")).json() == "a;b!"


@pytest.mark.parametrize("taken", [{"as": "json"}, {"as": "json", "failWhen": "{% error %}"}])
async def test_a_page_is_no_answer_where_json_is_wanted_though_nobody_reads_it(
    serve: Serve, upstream: Start, taken: dict[str, str]
) -> None:
    erp = await upstream(answer(body=b"<html>log in</html>", content_type="text/html"))
    unread = "- call: {connector: erp, path: /x}\n- respond: {body: {done: true}}"
    served = await serve(connector(erp.url, answer=taken), route(unread))

    response = await served.get("/it")

    assert response.status_code == 502
    assert response.json()["type"] == "urn:isthmus:problem:InvalidAnswer"


async def test_an_expression_that_fails_on_an_answer_is_our_mistake(
    serve: Serve, upstream: Start
) -> None:
    status, found = await asked(
        serve, upstream, answer({"n": "x"}), failWhen="{% $number(n) > 1 %}"
    )

    assert (status, found["type"]) == (500, "urn:isthmus:problem:ExpressionFailed")


async def test_a_failure_in_an_answer_is_counted_and_not_kept_in_a_cache(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({"errors": [{"message": "no"}]}), answer({"data": 1}))
    step = "- call: {connector: erp, path: /x}\n  cache: {ttl: 1m}"
    served = await serve(connector(erp.url, answer={"failWhen": ERRORS}), route(step))

    first, second, third = [await served.get("/it") for _ in range(3)]

    assert [each.status_code for each in (first, second, third)] == [502, 200, 200]
    assert len(erp.arrivals) == 2


@dataclass(frozen=True)
class Soap:
    """A version of SOAP: how its envelopes are named, sent and read."""

    namespace: str
    headers: str
    content_type: str
    fault: str
    said: str
    """Where the text of a fault stands in what is in the body."""

    def steps(self) -> str:
        """A call with an envelope that is made and read."""
        return f"""
- call:
    connector: erp
    method: POST
    path: /ws
    headers: {self.headers}
    text: "{{% $toXml({{'e:Envelope': {{'@xmlns:e': '{self.namespace}',
      'e:Body': {{'Stock': {{'@xmlns': 'urn:erp', 'sku': sku}}}}}}}}) %}}"
    answer:
      as: text
      failWhen: "{{% $parseXml($).*.*.{self.said} %}}"
- map: {{expression: "$parseXml($)"}}
"""

    def envelope(self, content: str) -> bytes:
        """What a system answers."""
        return (
            f'<?xml version="1.0"?><e:Envelope xmlns:e="{self.namespace}">'
            f"<e:Body>{content}</e:Body></e:Envelope>"
        ).encode()


SOAP_11 = Soap(
    namespace="http://schemas.xmlsoap.org/soap/envelope/",
    headers="{content-type: text/xml; charset=utf-8, soapaction: '\"urn:stock\"'}",
    content_type="text/xml; charset=utf-8",
    fault="<e:Fault><faultcode>e:Server</faultcode><faultstring>closed</faultstring></e:Fault>",
    said="*.faultstring",
)
SOAP_12 = Soap(
    namespace="http://www.w3.org/2003/05/soap-envelope",
    headers="""{content-type: 'application/soap+xml; action="urn:stock"'}""",
    content_type='application/soap+xml; action="urn:stock"',
    fault=(
        "<e:Fault><e:Code><e:Value>e:Receiver</e:Value></e:Code>"
        '<e:Reason><e:Text xml:lang="en">closed</e:Text></e:Reason></e:Fault>'
    ),
    said="*.`e:Reason`",
)
STOCK = '<StockResponse xmlns="urn:erp"><count>5</count></StockResponse>'


@pytest.mark.parametrize("soap", [SOAP_11, SOAP_12], ids=["1.1", "1.2"])
async def test_an_envelope_of_soap_is_made_and_read(
    serve: Serve, upstream: Start, soap: Soap
) -> None:
    erp = await upstream(answer(body=soap.envelope(STOCK), content_type=soap.content_type))
    served = await serve(connector(erp.url), route(soap.steps(), method="POST"))

    response = await served.post("/it", json={"sku": "A&B"})

    assert response.json()["e:Envelope"]["e:Body"]["StockResponse"]["count"] == "5"
    [arrival] = erp.arrivals
    assert arrival.header("content-type") == soap.content_type
    assert b"<sku>A&amp;B</sku>" in arrival.body


@pytest.mark.parametrize("soap", [SOAP_11, SOAP_12], ids=["1.1", "1.2"])
@pytest.mark.parametrize("status", [200, 500])
async def test_a_fault_of_soap_fails_the_call(
    serve: Serve, upstream: Start, soap: Soap, status: int
) -> None:
    fault = answer(status=status, body=soap.envelope(soap.fault), content_type=soap.content_type)
    erp = await upstream(fault)
    served = await serve(connector(erp.url), route(soap.steps(), method="POST"))

    response = await served.post("/it", json={"sku": "A"})

    assert response.status_code == 502, response.text


GRAPHQL = """
- call:
    connector: shop
    method: POST
    path: /graphql
    body:
      query: "query($sku: String!) { product(sku: $sku) { name } }"
      variables: {sku: "{% $request.query.sku %}"}
    answer: {failWhen: "{% $join(errors.message, '; ') %}"}
- map: {expression: data.product}
"""


@pytest.mark.parametrize(
    ("body", "status"),
    [({"data": {"product": {"name": "chair"}}}, 200), ({"errors": [{"message": "no"}]}, 502)],
)
async def test_errors_of_graphql_fail_the_call(
    serve: Serve, upstream: Start, body: Any, status: int
) -> None:
    shop = await upstream(answer(body))
    served = await serve(connector(shop.url, name="shop"), route(GRAPHQL))

    response = await served.get("/it", params={"sku": "4711"})

    assert response.status_code == status
    assert json.loads(shop.arrivals[0].body)["variables"] == {"sku": "4711"}
