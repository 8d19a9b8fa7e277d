"""What every engine has to answer, worked out by hand from the payloads.

Written without any of the engines, so a mistake in one of them shows as a difference. The runner
compares these before it times anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

import payloads

Json = Any  # the JSON boundary: these documents are only built and compared

RATES: Final = {"standard": 0.21, "reduced": 0.09, "zero": 0.0}
CODES: Final = {"standard": "V21", "reduced": "V09", "zero": "V00"}
UNITS: Final = {"piece": "PCE", "pair": "PR", "set": "SET"}


def composed() -> Json:
    """Join hits and prices."""
    found: Json = payloads.search_answer()
    prices = payloads.prices_answer()
    return {
        "items": [
            {"sku": hit["sku"], "name": hit["name"], "price": prices[hit["sku"]]}
            for hit in found["hits"]
        ],
        "total": found["estimatedTotalHits"],
    }


def mapped(order: Json = None) -> Json:
    """Turn an order, or else the usual one, into the ERP's document."""
    order = order or payloads.order()
    created = dt.datetime.fromisoformat(order["created_at"])
    customer, address = order["customer"], order["shipping_address"]
    carriers = {shipment["id"]: shipment["carrier"] for shipment in order["shipments"]}
    lines = [_line(line, carriers) for line in order["lines"]]
    return {
        "type": "ORDER",
        "externalId": order["order_number"],
        "orderDate": f"{created:%d.%m.%Y}",
        "dueDate": f"{created + dt.timedelta(days=14):%d.%m.%Y}",
        "version": int(dt.datetime.fromisoformat(order["updated_at"]).timestamp() * 1000),
        "currency": order["currency"],
        "partner": {
            "number": customer["id"],
            "name": f"{customer['first_name']} {customer['last_name']}",
            "email": customer["email"],
        },
        "shipTo": {
            "line1": f"{address['street']} {address['number']}",
            "line2": f"{address['postcode']} {address['city']}",
            "country": address["country"],
        },
        "lines": lines,
        "taxes": {
            code: _group(line for line in lines if line["taxCode"] == code)
            for code in CODES.values()
        },
        "totals": {
            "pieces": sum(line["quantity"] for line in lines),
            "net": _total(lines, "net"),
            "tax": _total(lines, "tax"),
            "gross": round(sum(line["net"] + line["tax"] for line in lines), 2),
        },
    }


def passed() -> Json:
    """Answer what the API echoes: the order itself."""
    return payloads.order()


def _line(line: Json, carriers: dict[str, str]) -> Json:
    price = line["quantity"] * line["unit_price"]
    net = round(price * (1 - line["discount_percent"] / 100), 2)
    return {
        "position": line["line_id"] * 10,
        "material": line["sku"],
        "text": f"{line['title']} / {line['options']['size']}",
        "quantity": line["quantity"],
        "unit": UNITS[line["unit"]],
        "net": net,
        "taxCode": CODES[line["tax_class"]],
        "tax": round(net * RATES[line["tax_class"]], 2),
        "carrier": carriers[line["shipment_id"]],
        "giftWrap": line["options"]["gift_wrap"],
    }


def _group(lines: Iterable[Json]) -> Json:
    lines = list(lines)
    return {"base": _total(lines, "net"), "tax": _total(lines, "tax")}


def _total(lines: Iterable[Json], field: str) -> float:
    amounts: list[float] = [line[field] for line in lines]
    return round(sum(amounts), 2)
