"""The files of an ERP: CSV with German headings, numbers and dates, as its users see them."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
STOCK = ("Artikel", "Bezeichnung", "Lager", "Bestand", "Reserviert", "Nächster Zugang", "Stand")
PRICES = ("Artikel", "Preisliste", "Währung", "Preis", "Preiseinheit", "Gültig ab")


@dataclass(frozen=True, slots=True)
class Stock:
    """How much of a material a plant has, and when that changed."""

    material: str
    text: str
    plant: str
    quantity: Decimal
    reserved: Decimal
    next_receipt: date | None
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class Price:
    """What so many pieces of a material cost on a price list, net."""

    material: str
    price_list: str
    currency: str
    amount: Decimal
    per: int
    valid_from: date


def stock(rows: Iterable[Stock]) -> str:
    """The file of all stock."""
    return _csv(
        STOCK,
        (
            (
                row.material,
                row.text,
                row.plant,
                number(row.quantity, decimals=3),
                number(row.reserved, decimals=3),
                day(row.next_receipt) if row.next_receipt else "",
                f"{row.moved_at.astimezone(ZONE):%d.%m.%Y %H:%M:%S}",
            )
            for row in rows
        ),
    )


def prices(rows: Iterable[Price]) -> str:
    """The file of all prices."""
    return _csv(
        PRICES,
        (
            (
                row.material,
                row.price_list,
                row.currency,
                number(row.amount, decimals=2),
                number(Decimal(row.per), decimals=0),
                day(row.valid_from),
            )
            for row in rows
        ),
    )


def number(value: Decimal, *, decimals: int) -> str:
    """Write a number with points between thousands, a comma, and its minus behind it."""
    english = f"{abs(value):,.{decimals}f}"
    german = english.translate(str.maketrans(",.", ".,"))
    return f"{german}-" if value < 0 else german


def day(value: date) -> str:
    """Write a date."""
    return f"{value:%d.%m.%Y}"


def _csv(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue()
