"""Files of the example ERP, as its users see them."""

import importlib
from datetime import UTC, date, datetime
from decimal import Decimal
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def export_files(services: None) -> ModuleType:
    return importlib.import_module("export_files")


@pytest.mark.parametrize(
    ("value", "decimals", "written"),
    [
        ("0", 3, "0,000"),
        ("12", 0, "12"),
        ("1234.5", 3, "1.234,500"),
        ("1234567.891", 2, "1.234.567,89"),
        ("-12", 3, "12,000-"),
    ],
)
def test_numbers_are_german(
    export_files: ModuleType, value: str, decimals: int, written: str
) -> None:
    assert export_files.number(Decimal(value), decimals=decimals) == written


def test_a_row_of_stock_has_the_clock_of_berlin(export_files: ModuleType) -> None:
    row = export_files.Stock(
        material="RG-1",
        text="Matte; rund",
        plant="HAM",
        quantity=Decimal("1.5"),
        reserved=Decimal(0),
        next_receipt=date(2026, 9, 15),
        moved_at=datetime(2026, 8, 20, 22, 30, tzinfo=UTC),
    )

    assert export_files.stock([row]) == (
        "Artikel;Bezeichnung;Lager;Bestand;Reserviert;Nächster Zugang;Stand\r\n"
        'RG-1;"Matte; rund";HAM;1,500;0,000;15.09.2026;21.08.2026 00:30:00\r\n'
    )


def test_a_row_of_prices_says_for_how_many(export_files: ModuleType) -> None:
    row = export_files.Price("DC-1", "VK-DE", "EUR", Decimal("1295"), 100, date(2026, 1, 1))

    assert export_files.prices([row]).splitlines()[1] == "DC-1;VK-DE;EUR;1.295,00;100;01.01.2026"
