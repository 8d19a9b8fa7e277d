"""The shop's customers: the same people at every start."""

import random
from typing import Any

CUSTOMERS = 400
FIRST_NUMBER = 1000

FIRST_NAMES = (
    "Amélie",
    "Bram",
    "Carla",
    "Daan",
    "Elin",
    "Femke",
    "Giulia",
    "Hugo",
    "Inès",
    "Jonas",
    "Katrijn",
    "Lukas",
    "Maud",
    "Niels",
    "Ottilie",
    "Pepijn",
    "Rosa",
    "Søren",
    "Tess",
    "Vera",
)
LAST_NAMES = (
    "Aalbers",
    "Bergström",
    "Claes",
    "de Vries",
    "Evers",
    "Fontaine",
    "Groen",
    "Hansen",
    "Iversen",
    "Jansen",
    "Keller",
    "Lindgren",
    "Maes",
    "Nijhuis",
    "Olsen",
    "Peeters",
    "Quist",
    "Roux",
    "Smit",
    "van den Berg",
    "Wouters",
    "Zimmermann",
)
PLACES = (
    ("NL", "Utrecht", "3511"),
    ("NL", "Groningen", "9711"),
    ("NL", "Breda", "4811"),
    ("BE", "Gent", "9000"),
    ("BE", "Leuven", "3000"),
    ("DE", "Münster", "48143"),
    ("DE", "Freiburg", "79098"),
    ("FR", "Lille", "59000"),
    ("SE", "Malmö", "21119"),
    ("DK", "Aarhus", "8000"),
)
STREETS = ("Lindenlaan", "Havenstraat", "Kerkplein", "Molenweg", "Parkgatan", "Rue des Tilleuls")


def customer(place: int) -> dict[str, Any]:
    """Give one of the customers, from 0 to CUSTOMERS - 1."""
    dice = random.Random(f"customer {place}")  # noqa: S311 - seeded on purpose
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    country, city, postcode = dice.choice(PLACES)
    return {
        "id": f"C-{FIRST_NUMBER + place}",
        "first_name": first,
        "last_name": last,
        "email": f"customer{FIRST_NUMBER + place}@example.com",
        "address": {
            "street": f"{dice.choice(STREETS)} {dice.randrange(1, 180)}",
            "postcode": postcode,
            "city": city,
            "country": country,
        },
    }
