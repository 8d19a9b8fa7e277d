"""The payloads of the benchmark: the same bytes on every machine and in every run.

Three documents: what the search service answers, what the ERP answers for the prices of its hits,
and a web shop's order. Nothing random and nothing from a clock, so answers can be compared between
engines and figures between releases. `write` puts them where the upstream and the loader read them.

Amounts are chosen so that no rounding in the order mapping meets an exact half: engines round
halves differently, and the benchmark compares speed, not taste.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

KINDS: Final = ("Jacket", "Trousers", "Sweater", "Boots", "Scarf")
COLOURS: Final = ("navy", "sand", "olive", "brick")
HITS: Final = 20
LINES: Final = 20

JsonObject = dict[str, object]


def search_answer() -> JsonObject:
    """Answer as a search service does: twenty hits with more fields than the Route wants (6 KB)."""
    return {
        "hits": [_hit(n) for n in range(HITS)],
        "query": "jacket",
        "processingTimeMs": 3,
        "limit": HITS,
        "offset": 0,
        "estimatedTotalHits": 1287,
    }


def prices_answer() -> JsonObject:
    """Answer as an ERP does: a price for each hit, keyed by its stock-keeping unit (1.5 KB)."""
    return {sku(n): _price(n) for n in range(HITS)}


def prices_request() -> JsonObject:
    """Ask for the prices of every hit: what each engine has to send to the ERP."""
    return {"skus": [sku(n) for n in range(HITS)]}


def order(lines: int = LINES) -> JsonObject:
    """Give an order in a shop's form, three shipments, two addresses (5.6 KB with twenty lines)."""
    return {
        "order_number": "WEB-2026-0004711",
        "created_at": "2026-03-14T09:26:53Z",
        "updated_at": "2026-03-14T09:31:07Z",
        "status": "paid",
        "currency": "EUR",
        "channel": "webshop-nl",
        "customer": {
            "id": "C-20417",
            "email": "j.devries@example.com",
            "first_name": "Johanna",
            "last_name": "de Vries",
        },
        "billing_address": _address("Keizersgracht", 126, "1015 CW"),
        "shipping_address": _address("Prinsengracht", 263, "1016 GV"),
        "payment": {"method": "ideal", "reference": "TX-88120395", "amount": 3161.68},
        "shipments": [
            {"id": f"S{n}", "carrier": carrier, "promised_at": f"2026-03-{16 + n}T12:00:00Z"}
            for n, carrier in enumerate(("postnl", "dhl", "ups"), start=1)
        ],
        "lines": [_line(n) for n in range(lines)],
        "notes": "Please ring twice; the bell upstairs is broken.",
    }


def sku(n: int) -> str:
    return f"AP-{1000 + 37 * n}-{'SMLX'[n % 4]}"


def encode(document: JsonObject) -> bytes:
    """Encode without blanks, as machines do."""
    return json.dumps(document, separators=(",", ":")).encode()


def write(folder: Path) -> None:
    """Write each payload into the folder, under the name that the other processes expect."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in (
        ("search.json", search_answer()),
        ("prices.json", prices_answer()),
        ("order.json", order()),
    ):
        (folder / name).write_bytes(encode(document))


def _hit(n: int) -> JsonObject:
    kind, colour = KINDS[n % len(KINDS)], COLOURS[n % len(COLOURS)]
    return {
        "id": 90000 + n,
        "sku": sku(n),
        "name": f"{kind} in {colour}, model {n + 1}",
        "brand": "Noord & Zuid",
        "description": f"A {kind.lower()} for cold mornings, made in {colour} from recycled wool.",
        "categories": ["apparel", kind.lower(), colour],
        "image": f"/media/{90000 + n}/front.webp",
        "url": f"/p/{sku(n).lower()}",
        "rating": 3.5 + (n % 4) * 0.25,
        "stock": 7 * n % 50,
    }


def _price(n: int) -> JsonObject:
    cents = 1995 + 1250 * n
    return {"amount": f"{cents // 100}.{cents % 100:02}", "currency": "EUR", "list": "PL-NL-2026"}


def _address(street: str, number: int, postcode: str) -> JsonObject:
    return {
        "street": street,
        "number": number,
        "postcode": postcode,
        "city": "Amsterdam",
        "country": "NL",
    }


def _line(n: int) -> JsonObject:
    kind, colour = KINDS[n % len(KINDS)], COLOURS[n % len(COLOURS)]
    return {
        "line_id": n + 1,
        "sku": sku(n),
        "title": f"{kind} in {colour}, model {n + 1}",
        "quantity": 1 + n % 3,
        "unit": ("piece", "pair", "set")[n % 3],
        "unit_price": round(9.97 + 7.11 * n, 2),
        "discount_percent": (0, 5, 12)[n % 3],
        "tax_class": ("standard", "reduced", "zero")[n * 7 % 5 % 3],
        "shipment_id": f"S{1 + n % 3}",
        "options": {"size": "SMLX"[n % 4], "colour": colour, "gift_wrap": n % 5 == 0},
    }
