"""What calls send: forms, files and texts, as a server of another's making reads them."""

import base64
import email.parser
import email.policy
from urllib.parse import parse_qs

import pytest
from manifests_text import connector, route
from served import Serve, Start
from upstreams import Arrival, answer


async def sent(serve: Serve, upstream: Start, call: str, body: object) -> Arrival:
    """What a system gets of a call; `call` are fields of it, as YAML."""
    erp = await upstream(answer({}))
    step = f"- call:\n    connector: erp\n    method: POST\n    path: /in\n{call}"
    served = await serve(connector(erp.url), route(step, method="POST"))
    response = await served.post("/it", json=body)
    assert response.status_code == 200, response.text
    return erp.arrivals[0]


async def test_a_form_has_its_fields(serve: Serve, upstream: Start) -> None:
    call = '    form: {name: "{% name %}", tag: "{% tags %}", none: "{% missing %}", "a b": "1 %"}'

    arrival = await sent(serve, upstream, call, {"name": "Zo\u00eb & co", "tags": ["x", 2, True]})

    assert arrival.header("content-type") == "application/x-www-form-urlencoded"
    assert parse_qs(arrival.body.decode("ascii")) == {
        "name": ["Zo\u00eb & co"],
        "tag": ["x", "2", "true"],
        "a b": ["1 %"],
    }


async def test_a_form_with_files_is_read_by_another_parser(serve: Serve, upstream: Start) -> None:
    call = """
    multipart:
      - {name: sku, value: "{% sku %}"}
      - {name: left-out, value: "{% missing %}"}
      - {name: facts, value: "{% facts %}", contentType: application/json}
      - {name: image, value: "{% image %}", encoding: base64, fileName: "{% sku %}.png",
         contentType: image/png}
    """
    facts = {"colour": "Gr\u00fcn"}
    image = bytes(range(256))
    body = {"sku": 'A"1\r\nx', "facts": facts, "image": base64.b64encode(image).decode()}

    arrival = await sent(serve, upstream, call, body)

    kind = arrival.header("content-type") or ""
    whole = f"Content-Type: {kind}\r\n\r\n".encode() + arrival.body
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(whole)
    parts = list(message.iter_parts())
    assert [part.get_param("name", header="content-disposition") for part in parts] == [
        *("sku", "facts", "image")
    ]
    assert parts[0].get_payload(decode=True) == b'A"1\r\nx'
    assert parts[1].get_content_type() == "application/json"
    assert parts[1].get_payload(decode=True) == '{"colour":"Gr\u00fcn"}'.encode()
    assert parts[2].get_payload(decode=True) == image
    assert parts[2].get_filename() == "A%221%0D%0Ax.png"


async def test_the_same_message_makes_the_same_bytes(serve: Serve, upstream: Start) -> None:
    call = '    multipart: [{name: a, value: "{% a %}"}]'

    first = await sent(serve, upstream, call, {"a": "x"})
    second = await sent(serve, upstream, call, {"a": "x"})

    assert first.body == second.body


async def test_a_text_is_sent_as_it_is(serve: Serve, upstream: Start) -> None:
    arrival = await sent(
        serve, upstream, '    text: "{% sku %};{% n %}\\n"', {"sku": "\u00c9", "n": 1}
    )

    assert arrival.body == "\u00c9;1\n".encode()
    assert arrival.header("content-type") == "text/plain; charset=utf-8"


async def test_a_part_that_is_no_base64_fails_before_anything_is_sent(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}))
    step = """
    - call:
        connector: erp
        method: POST
        path: /in
        multipart: [{name: image, value: "{% image %}", encoding: base64}]
    """
    served = await serve(connector(erp.url), route(step, method="POST"))

    response = await served.post("/it", json={"image": "***"})

    assert response.status_code == 500
    assert "the part image of a form is not base64" in response.json()["detail"]
    assert erp.arrivals == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_form_goes_with_any_method(serve: Serve, upstream: Start, method: str) -> None:
    erp = await upstream(answer({}))
    step = f"- call: {{connector: erp, method: {method}, path: /in, form: {{a: '1'}}}}"
    served = await serve(connector(erp.url), route(step))

    await served.get("/it")

    assert erp.arrivals[0].body == b"a=1"
