"""Every step, from a request on a socket to what a system behind the Route sees."""

import asyncio
import json

import pytest
from manifests_text import connector, mapping, route
from served import Serve, Start
from upstreams import Arrival, Behave, answer, hangs

LARGE = 9007199254740993123


async def test_a_call_writes_path_query_headers_and_body_from_the_message(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({"ok": True}))
    served = await serve(
        connector(f"{erp.url}/api/", headers={"X-Static": "always", "Accept": "text/plain"}),
        route(
            """
            - call:
                connector: erp
                method: POST
                path: "/orders/{% $request.params.id %}/{% kind %}"
                query:
                  tag: "{% tags %}"
                  "filter[état]": "{% $request.query.q %}"
                  none: "{% missing %}"
                  both: "a{% kind %}b"
                headers:
                  X-Kind: "{% kind %}"
                  accept: application/json
                body: {kind: "{% kind %}", "n": "{% $count(tags) %}", fixed: [1, null]}
            """,
            method="POST",
            path="/in/{id}",
        ),
    )

    response = await served.post(
        "/in/4%2F2", json={"kind": "a b&c", "tags": ["x", "y&"]}, params={"q": "é+"}
    )

    assert response.json() == {"ok": True}
    (arrival,) = erp.arrivals
    assert (arrival.method, arrival.path) == ("POST", "/api/orders/4%2F2/a%20b%26c")
    assert arrival.query == {"tag": ["x", "y&"], "filter[état]": ["é+"], "both": ["aa b&cb"]}
    assert arrival.header("x-kind") == "a b&c"
    assert arrival.header("x-static") == "always"
    assert [value for name, value in arrival.headers if name == "accept"] == ["application/json"]
    assert arrival.header("content-type") == "application/json"
    assert json.loads(arrival.body) == {"kind": "a b&c", "n": 2, "fixed": [1, None]}


@pytest.mark.parametrize(
    ("value", "sent", "status"),
    [
        pytest.param("a%2Fb", "/x/a%2Fb", 200, id="an encoded slash stays in its segment"),
        pytest.param("%C3%A9%20%25", "/x/%C3%A9%20%25", 200, id="what was encoded is so again"),
        pytest.param("%3Fa=b%23", "/x/%3Fa%3Db%23", 200, id="a query cannot be smuggled in"),
        pytest.param("..", None, 500, id="two dots are refused"),
        pytest.param("%2e%2e", None, 500, id="encoded dots are refused"),
        pytest.param(".", None, 500, id="one dot is refused"),
        pytest.param("..%2F..", "/x/..%2F..", 200, id="dots beside a slash stay one segment"),
    ],
)
async def test_a_path_variable_is_passed_on_as_one_segment(
    serve: Serve, upstream: Start, value: str, sent: str | None, status: int
) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url),
        route("""- call: {connector: erp, path: "/x/{% $request.params.id %}"}""", path="/it/{id}"),
    )

    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"GET /it/{value} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())
    answered = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answered.startswith(b"HTTP/1.1 %d " % status)
    assert [arrival.target for arrival in erp.arrivals] == ([sent] if sent else [])


@pytest.mark.parametrize(
    "value", ["a\r\nx-admin: yes", "a\nb", "a\0b", "€"], ids=["CRLF", "LF", "NUL", "not latin-1"]
)
async def test_a_header_cannot_be_injected_by_a_value(
    serve: Serve, upstream: Start, value: str
) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url),
        route(
            """- call: {connector: erp, headers: {x-name: "{% name %}"}}""",
            name="out",
            method="POST",
            path="/out",
        ),
        route(
            """- respond: {headers: {x-name: "{% name %}"}}""",
            name="back",
            method="POST",
            path="/back",
        ),
    )

    for path in ("/out", "/back"):
        response = await served.post(path, json={"name": value})

        assert response.status_code == 500
        assert response.json()["type"] == "urn:isthmus:problem:ExpressionFailed"
        assert "x-admin" not in response.headers
    assert erp.arrivals == []


async def test_a_header_of_a_connector_with_a_line_break_fails_the_call(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url, headers={"x-bad": "a\nb"}), route("- call: {connector: erp}")
    )

    response = await served.get()

    assert response.status_code == 500
    assert response.json()["type"] == "urn:isthmus:problem:UnsafeCall"
    assert erp.arrivals == []


BODIES = [
    pytest.param(b'{ "a" : 1.10, "b":\t9007199254740993 }', "application/json", id="odd JSON"),
    pytest.param(b"\x89PNG\0\xff", "image/png", id="an image"),
    pytest.param(b"{ no JSON", "application/json", id="broken JSON"),
]


@pytest.mark.parametrize(("body", "kind"), BODIES)
async def test_what_no_step_reads_is_passed_on_byte_for_byte_both_ways(
    serve: Serve, upstream: Start, body: bytes, kind: str
) -> None:
    erp = await upstream(answer(body=body[::-1], content_type=kind))
    served = await serve(
        connector(erp.url), route("- call: {connector: erp, method: PUT}", method="POST")
    )

    response = await served.post(content=body, headers={"content-type": kind})

    assert erp.arrivals[0].body == body
    assert erp.arrivals[0].header("content-type") == kind
    assert response.content == body[::-1]
    assert response.headers["content-type"] == kind


async def test_into_binds_the_result_and_keeps_the_body_as_it_came(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({"a": 7}))
    served = await serve(
        connector(erp.url),
        route(
            """
            - call: {connector: erp}
              into: prices
            - respond: {headers: {x-a: "{% $prices.a %}"}}
            """,
            method="POST",
        ),
    )

    response = await served.post(
        content=b'{"x" :1.0}', headers={"content-type": "application/json"}
    )

    assert response.content == b'{"x" :1.0}'
    assert response.headers["x-a"] == "7"


async def test_a_choice_with_into_keeps_the_body_too(serve: Serve) -> None:
    served = await serve(
        route(
            """
            - choice: {when: [{condition: "{% true %}", branch: other}]}
              into: made
            - map: {expression: "{'body': $, 'made': $made}"}
            """,
            method="POST",
            branches="other: [{map: {expression: \"'made'\"}}]",
        )
    )

    response = await served.post(json=[1])

    assert response.json() == {"body": [1], "made": "made"}


async def test_a_choice_whose_branch_fails_goes_on_with_the_body_it_began_with(
    serve: Serve,
) -> None:
    served = await serve(
        route(
            """
            - choice: {when: [{condition: "{% true %}", branch: other}]}
              onError: {use: "{% {'began': $, 'reason': $failure.reason} %}"}
            """,
            method="POST",
            branches="""
            other:
              - map: {expression: "'made'"}
              - map: {expression: "$error('no')"}
            """,
        )
    )

    response = await served.post(json=[1])

    assert response.json() == {"began": [1], "reason": "ExpressionFailed"}


async def test_a_mapping_sees_every_variable(serve: Serve) -> None:
    shown = """
        {
          "message": $message.id, "route": $route, "env": $env.stage,
          "method": $request.method, "path": $request.path, "params": $request.params,
          "query": $request.query, "header": $request.headers.'x-a', "body": $
        }
    """
    served = await serve(
        mapping(shown, name="show"),
        route("- map: {mapping: show}", method="POST", path="/it/{id}", env={"stage": "test"}),
    )

    response = await served.post(
        "/it/1%2F2?a=1&b=2&b=3&c=",
        json={"x": 1},
        headers=[("x-correlation-id", "corr-1"), ("x-a", "1"), ("x-a", "2")],
    )

    assert response.json() == {
        "message": "corr-1",
        "route": {"name": "it", "namespace": "default"},
        "env": "test",
        "method": "POST",
        "path": "/it/1%2F2",
        "params": {"id": "1/2"},
        "query": {"a": "1", "b": ["2", "3"], "c": ""},
        "header": ["1", "2"],
        "body": {"x": 1},
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b'{"on": true}', 200, id="true goes on"),
        pytest.param(b'{"on": 1}', 204, id="something true-ish does not"),
        pytest.param(b"{}", 204, id="a misspelt field does not"),
    ],
)
async def test_a_filter_goes_on_only_when_true(serve: Serve, body: bytes, status: int) -> None:
    served = await serve(route('- filter: "{% on %}"', method="POST"))

    response = await served.post(content=body)

    assert response.status_code == status
    assert response.content == (body if status == 200 else b"")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("a", {"was": "a", "kept": 1}), ("b", "second"), ("c", "none")],
    ids=["the first", "the second", "otherwise"],
)
async def test_a_choice_runs_the_first_branch_that_holds(
    serve: Serve, kind: str, expected: object
) -> None:
    served = await serve(
        route(
            """
            - choice:
                when:
                  - {condition: "{% kind = 'a' %}", branch: first}
                  - {condition: "{% kind in ['a', 'b'] %}", branch: second}
                otherwise: none
            - choice: {when: [{condition: "{% false %}", branch: second}]}
            """,
            branches="""
            first:
              - {map: {expression: "1"}, into: one}
              - {map: {expression: "{'was': kind, 'kept': $one}"}}
            second: [{map: {expression: "'second'"}}]
            none: [{map: {expression: "'none'"}}]
            """,
            method="POST",
        )
    )

    assert (await served.post(json={"kind": kind})).json() == expected


async def test_a_split_keeps_the_order_and_leaves_filtered_elements_out(
    serve: Serve, upstream: Start
) -> None:
    def slow_first(arrival: Arrival) -> Behave:
        number = int(arrival.path.removeprefix("/"))
        return answer(number * 10, after=0.06 if number == 0 else 0)

    erp = await upstream(slow_first)
    served = await serve(
        connector(erp.url),
        route(
            """
            - split: {items: "{% items %}", branch: one, concurrency: 3}
            - aggregate: {expression: "{% {'sum': $sum(got), 'all': $} %}"}
            """,
            branches="""
            one:
              - filter: "{% n != 4 %}"
              - call: {connector: erp, path: "/{% n %}"}
                into: price
              - map: {expression: "{'at': $index, 'got': $price}"}
            """,
            method="POST",
        ),
    )

    response = await served.post(json={"items": [{"n": n} for n in range(8)]})

    kept = [n for n in range(8) if n != 4]
    assert response.json() == {
        "sum": sum(kept) * 10,
        "all": [{"at": n, "got": n * 10} for n in kept],
    }
    assert 1 < erp.most_under_way <= 3


async def test_a_split_runs_no_more_at_once_than_it_may(serve: Serve, upstream: Start) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer(1, when=gate))
    served = await serve(
        connector(erp.url),
        route(
            "- split: {branch: one, concurrency: 5}",
            branches="one: [{call: {connector: erp}}]",
            method="POST",
        ),
    )

    asking = asyncio.create_task(served.post(json=list(range(12))))
    await erp.until(lambda erp: erp.under_way == 5)
    gate.set()

    assert (await asking).json() == [1] * 12
    assert erp.most_under_way == 5


async def test_a_failure_in_a_split_ends_the_rest(serve: Serve, upstream: Start) -> None:
    def first_fails(arrival: Arrival) -> Behave:
        return answer(status=500) if arrival.path == "/2" else hangs()

    erp = await upstream(first_fails)
    served = await serve(
        connector(erp.url),
        route(
            "- split: {branch: one, concurrency: 3}",
            branches='one: [{call: {connector: erp, path: "/{% $ %}"}}]',
            method="POST",
        ),
    )

    response = await served.post(json=list(range(20)))

    assert response.status_code == 502
    assert response.json()["step"] == "call-one-0"
    await erp.until(lambda erp: erp.under_way == 0)
    assert len(erp.arrivals) == 3


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"{}", []), (b'{"items": 5}', [6]), (b'{"items": []}', [])],
    ids=["nothing is no element", "a single value is one", "an empty list stays one"],
)
async def test_what_a_split_takes_for_a_list(serve: Serve, body: bytes, expected: object) -> None:
    served = await serve(
        route(
            '- split: {items: "{% items %}", branch: one}',
            branches='one: [{map: {expression: "$ + 1"}}]',
            method="POST",
        )
    )

    assert (await served.post(content=body)).json() == expected


async def test_a_long_split_lets_others_be_served_and_ends_with_the_route(serve: Serve) -> None:
    served = await serve(
        route(
            "- split: {branch: one}",
            branches='one: [{map: {expression: "$sum([1..2000])"}}]',
            method="POST",
            maxBody="2Mi",
            timeout="300ms",
        ),
        route("- map: {expression: '1'}", name="short", path="/short"),
    )

    long = asyncio.create_task(served.post(content=b"[%s0]" % (b"1," * 200_000)))
    await asyncio.sleep(0)
    between = 0
    while not long.done():
        assert (await served.get("/short")).status_code == 200
        between += 1

    assert long.result().status_code == 504
    assert long.result().json()["type"] == "urn:isthmus:problem:DeadlineExceeded"
    assert between > 1


async def test_a_scatter_runs_its_branches_at_once_on_copies(serve: Serve, upstream: Start) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer("theirs", when=gate))
    served = await serve(
        connector(erp.url),
        route(
            "- scatter: {branches: [asked, again, changed, dropped]}",
            branches="""
            asked: [{call: {connector: erp}}]
            again: [{call: {connector: erp}}, {map: {expression: "$ & '!'"}}]
            changed: [{map: {expression: "{'was': $}"}}]
            dropped: [{filter: "{% false %}"}]
            """,
            method="POST",
        ),
    )

    asking = asyncio.create_task(served.post(json=[1, {"a": 2}]))
    await erp.until(lambda erp: erp.under_way == 2)
    gate.set()

    assert (await asking).json() == {
        "asked": "theirs",
        "again": "theirs!",
        "changed": {"was": [1, {"a": 2}]},
        "dropped": None,
    }


async def test_validate_names_paths_and_rules_but_no_values(serve: Serve) -> None:
    served = await serve(
        route(
            """
            - validate:
                schema:
                  type: object
                  required: [id]
                  properties:
                    id: {type: integer}
                    "first name": {type: string, maxLength: 3}
                    lines: {type: array, items: {type: object, required: [sku]}}
            - map: {expression: "'fits'"}
            """,
            method="POST",
        )
    )
    wrong = {"id": "canary-1", "first name": "canary-2", "lines": [{"sku": 1}, {"canary": 3}]}

    fits = await served.post(content=b'{"id": %d}' % LARGE)
    refused = await served.post(json=wrong)

    assert fits.json() == "fits"
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["type"] == "urn:isthmus:problem:SchemaMismatch"
    assert sorted((error["path"], error["rule"]) for error in problem["errors"]) == [
        ("$.id", "type"),
        ("$.lines[1]", "required"),
        ("$['first name']", "maxLength"),
    ]
    assert "canary" not in refused.text


async def test_respond_gives_status_headers_and_body_and_ends_the_route(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream()
    served = await serve(
        connector(erp.url),
        route(
            """
            - choice: {when: [{condition: "{% $request.query.early = '1' %}", branch: early}]}
            - call: {connector: erp}
            """,
            branches="""
            early:
              - respond:
                  status: 202
                  headers: {Location: "/x/{% $request.query.early %}", content-type: text/plain}
                  body: {seen: "{% $request.query.early %}"}
            """,
        ),
    )

    response = await served.get(params={"early": 1})

    assert response.status_code == 202
    assert response.headers["location"] == "/x/1"
    assert response.headers["content-type"] == "text/plain"
    assert response.content == b'{"seen":"1"}'
    assert erp.arrivals == []


@pytest.mark.parametrize("body", [b'{"a": 1}', b'{"a": %d}' % LARGE], ids=["text", "a value"])
async def test_an_expression_that_gives_nothing_gives_null_either_way(
    serve: Serve, body: bytes
) -> None:
    served = await serve(route('- map: {expression: "missing"}', method="POST"))

    response = await served.post(content=body)

    assert (response.status_code, response.content) == (200, b"null")


async def test_on_error_goes_on_with_another_value_that_knows_what_failed(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({"secret": 1}, status=418))
    served = await serve(
        connector(erp.url),
        route(
            """
            - call: {connector: erp}
              into: prices
              onError: {use: {failed: "{% $failure %}", for: "{% a %}"}}
            - map: {expression: "{'prices': $prices, 'a': a}"}
            """,
            method="POST",
        ),
    )

    response = await served.post(json={"a": 5})

    assert response.json() == {
        "a": 5,
        "prices": {
            "for": 5,
            "failed": {
                "reason": "UnexpectedStatus",
                "message": "erp answered 418",
                "status": 418,
                "connector": "erp",
            },
        },
    }


async def test_on_error_answers_the_caller_and_ends_the_route(serve: Serve) -> None:
    served = await serve(
        route(
            """
            - map: {expression: "$error('no such shop')"}
              onError: {respond: {status: 409, body: {why: "{% $failure.message %}"}}}
            - map: {expression: "'not reached'"}
            """
        )
    )

    response = await served.get()

    assert response.status_code == 409
    assert response.json()["why"].startswith("no such shop")


async def test_text_of_an_answer_that_is_no_json_is_caught_where_it_is_bound(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer(body=b"<html>", content_type="text/html"))
    served = await serve(
        connector(erp.url),
        route(
            """
            - call: {connector: erp}
              into: prices
              onError: {use: {}}
            - map: {expression: "$prices"}
            """
        ),
    )

    assert (await served.get()).json() == {}


WAYS = [
    pytest.param("- map: {expression: '{\"made\": $}'}", {"made": {"id": LARGE}}, id="map"),
    pytest.param(
        "- split: {items: '{% [id, 1] %}', branch: same}\n- map: {expression: '$'}",
        [LARGE, 1],
        id="split",
    ),
    pytest.param("- scatter: {branches: [same]}", {"same": {"id": LARGE}}, id="scatter"),
    pytest.param(
        "- map: {expression: id}\n  into: kept\n- map: {expression: '[$kept]'}",
        [LARGE],
        id="into",
    ),
    pytest.param("- respond: {body: {id: '{% id %}'}}", {"id": LARGE}, id="respond"),
    pytest.param(
        "- call: {connector: erp, method: POST, path: '/{% id %}', body: ['{% id %}']}",
        [LARGE],
        id="call",
    ),
]


@pytest.mark.parametrize(("steps", "expected"), WAYS)
async def test_an_integer_beyond_all_doubles_stays_what_it_is(
    serve: Serve, upstream: Start, steps: str, expected: object
) -> None:
    erp = await upstream(answer([LARGE]))
    served = await serve(
        connector(erp.url),
        route(
            steps,
            method="POST",
            branches="same: [{map: {expression: '$'}}]" if "same" in steps else "",
        ),
    )

    response = await served.post(content=b'{"id": %d}' % LARGE)

    assert json.loads(response.content) == expected
    for arrival in erp.arrivals:
        assert arrival.path == f"/{LARGE}"
        assert json.loads(arrival.body) == [LARGE]


async def test_integers_that_only_an_answer_holds_survive_a_mapping(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({"id": LARGE}))
    served = await serve(
        connector(erp.url),
        route(
            """
            - split: {branch: ask}
            - call: {connector: erp}
              into: more
            - map: {expression: "$append($, $more.id)"}
            """,
            branches="ask: [{call: {connector: erp}}, {map: {expression: id}}]",
            method="POST",
        ),
    )

    response = await served.post(json=[1, 2])

    assert json.loads(response.content) == [LARGE, LARGE, LARGE]
