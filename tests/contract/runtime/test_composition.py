"""A map step whose Mapping calls others, from a request on a socket to its answer."""

from manifests_text import mapping, route
from served import Serve

ORDER = mapping("{'lines': [items.$mapping('line', $)], 'id': id}", name="order")
LINE = mapping(
    "{'sku': sku, 'vat': $table('vat', country)}",
    name="line",
    tables={"vat": {"NL": "0.21"}},
)
STEPS = "- map: {mapping: order}\n- respond: {}"


async def test_a_mapping_calls_another_with_its_own_tables(serve: Serve) -> None:
    served = await serve(ORDER, LINE, route(STEPS, method="POST"))

    response = await served.post(
        "/it", content=b'{"id": 9007199254740993, "items": [{"sku": 1, "country": "NL"}]}'
    )

    assert response.text == '{"lines":[{"sku":1,"vat":"0.21"}],"id":9007199254740993}'


async def test_what_fails_inside_is_told_with_the_name_of_the_mapping(serve: Serve) -> None:
    broken = mapping("$moneyAdd(price, 1)", name="line")
    served = await serve(ORDER, broken, route(STEPS, method="POST"))

    response = await served.post("/it", json={"items": [{"price": "secret"}]})

    assert response.status_code == 500
    assert "secret" not in response.text
