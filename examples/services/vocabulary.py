"""The words of the shop: the tables from which `catalogue` builds its products.

No logic lives here. Sizes are centimetres (width, depth, height), the middle of the range
that the generator draws from.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of thing inside a category, as a shopper would call it.

    Its own materials, if it names any, replace those of the category: nobody sells a
    hammock of concrete.
    """

    name: str
    width: int
    depth: int
    height: int
    materials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Category:
    """One department of the shop, and the words that make sense in it."""

    name: str
    prefix: str
    kinds: tuple[Kind, ...]
    materials: tuple[str, ...]
    features: tuple[str, ...]
    uses: tuple[str, ...]


CATEGORIES = (
    Category(
        name="Chairs",
        prefix="CH",
        kinds=(
            Kind("dining chair", 47, 53, 82),
            Kind("armchair", 74, 78, 84),
            Kind("lounge chair", 70, 80, 76),
            Kind("bar stool", 42, 44, 98),
            Kind("rocking chair", 62, 88, 94, ("oak", "walnut", "beech", "rattan")),
            Kind("folding chair", 45, 50, 80, ("oak", "beech", "ash", "steel")),
            Kind("wing chair", 78, 86, 108, ("leather", "wool", "velvet")),
        ),
        materials=("oak", "ash", "walnut", "beech", "steel", "rattan", "leather", "wool", "velvet"),
        features=("high-back", "low-back", "upholstered", "slatted", "curved", "sculpted"),
        uses=(
            "long dinners and short breakfasts",
            "a quiet reading corner",
            "small kitchens where every seat counts",
            "the end of a long table",
        ),
    ),
    Category(
        name="Tables",
        prefix="TB",
        kinds=(
            Kind("dining table", 180, 90, 75),
            Kind("coffee table", 100, 60, 42),
            Kind("side table", 45, 45, 52),
            Kind("console table", 120, 36, 80),
            Kind("bar table", 110, 60, 104),
            Kind("nesting table", 50, 50, 46),
        ),
        materials=("oak", "walnut", "ash", "marble", "glass", "steel", "bamboo", "terrazzo"),
        features=("round", "oval", "slim", "pedestal", "trestle", "fluted"),
        uses=(
            "meals, maps and everything in between",
            "narrow hallways",
            "homework, puzzles and board games",
            "a cup, a book and a lamp",
        ),
    ),
    Category(
        name="Sofas",
        prefix="SO",
        kinds=(
            Kind("two-seat sofa", 162, 88, 82),
            Kind("three-seat sofa", 218, 92, 82),
            Kind("corner sofa", 268, 210, 80),
            Kind("sofa bed", 204, 96, 86),
            Kind("chaise longue", 92, 164, 80),
            Kind("loveseat", 138, 84, 80),
            Kind("footstool", 68, 56, 42),
        ),
        materials=("linen", "velvet", "wool", "leather", "corduroy", "bouclé", "cotton"),
        features=("modular", "deep", "tufted", "slipcovered", "low-slung", "plump"),
        uses=(
            "film nights with the whole family",
            "city flats with a narrow staircase",
            "guests who stay longer than planned",
            "an afternoon nap",
        ),
    ),
    Category(
        name="Lighting",
        prefix="LP",
        kinds=(
            Kind("floor lamp", 38, 38, 154),
            Kind("table lamp", 28, 28, 46),
            Kind("pendant lamp", 42, 42, 34),
            Kind("wall lamp", 16, 24, 28),
            Kind("desk lamp", 20, 44, 50),
            Kind("chandelier", 74, 74, 58),
            Kind("string light", 30, 30, 8, ("glass", "paper")),
        ),
        materials=("brass", "steel", "glass", "paper", "linen", "ceramic", "aluminium", "rattan"),
        features=("dimmable", "ribbed", "slender", "mushroom", "pleated", "globe"),
        uses=(
            "a warm circle of light above the table",
            "reading in bed without waking anyone",
            "dark corners that deserve better",
            "working late with rested eyes",
        ),
    ),
    Category(
        name="Desks",
        prefix="DK",
        kinds=(
            Kind("writing desk", 120, 60, 75),
            Kind("standing desk", 150, 75, 96),
            Kind("corner desk", 160, 120, 75),
            Kind("secretary desk", 92, 46, 112),
            Kind("wall desk", 84, 42, 58),
            Kind("monitor stand", 58, 24, 12),
        ),
        materials=("oak", "walnut", "birch", "bamboo", "steel", "pine"),
        features=("adjustable", "compact", "two-drawer", "cable-tidy", "rounded", "wide"),
        uses=(
            "two screens and a cup of coffee",
            "a home office in the living room",
            "letters, sketches and thank-you notes",
            "students with more books than space",
        ),
    ),
    Category(
        name="Beds",
        prefix="BD",
        kinds=(
            Kind("double bed", 160, 212, 98),
            Kind("king-size bed", 180, 212, 104),
            Kind("single bed", 94, 210, 90),
            Kind("day bed", 92, 206, 74),
            Kind("four-poster bed", 182, 214, 206),
            Kind("bedside table", 46, 40, 54, ("oak", "pine", "walnut", "ash")),
            Kind("headboard", 164, 8, 112, ("linen", "velvet", "rattan", "oak")),
        ),
        materials=("oak", "pine", "walnut", "ash", "linen", "velvet", "steel", "rattan"),
        features=("low", "slender", "rounded", "slatted", "panelled", "floating"),
        uses=(
            "light sleepers who notice every creak",
            "spare rooms that work hard",
            "slow Sunday mornings",
            "rooms with a low ceiling",
        ),
    ),
    Category(
        name="Storage",
        prefix="ST",
        kinds=(
            Kind("bookcase", 84, 32, 190, ("oak", "pine", "birch", "walnut", "steel")),
            Kind("sideboard", 164, 44, 76),
            Kind("wardrobe", 148, 60, 206),
            Kind("chest of drawers", 92, 46, 96, ("oak", "pine", "birch", "walnut")),
            Kind("wall shelf", 82, 22, 20),
            Kind("shoe cabinet", 76, 26, 104, ("oak", "pine", "bamboo", "steel")),
            Kind("storage basket", 38, 34, 32, ("rattan", "seagrass", "jute", "felt")),
            Kind("coat rack", 46, 46, 178, ("oak", "birch", "walnut", "steel")),
        ),
        materials=("oak", "pine", "birch", "walnut", "steel", "rattan", "seagrass", "bamboo"),
        features=("open", "tall", "slim", "modular", "rounded", "fluted", "stacking"),
        uses=(
            "paperbacks two rows deep",
            "hallways full of boots and scarves",
            "everything that has no place yet",
            "rooms where the floor must stay free",
        ),
    ),
    Category(
        name="Rugs",
        prefix="RG",
        kinds=(
            Kind("area rug", 200, 290, 2),
            Kind("runner", 80, 250, 1),
            Kind("round rug", 180, 180, 2),
            Kind("door mat", 75, 45, 2, ("jute", "sisal", "recycled polyester")),
            Kind("bath mat", 80, 50, 2, ("cotton", "organic cotton")),
            Kind("shag rug", 160, 230, 4, ("wool", "recycled polyester")),
        ),
        materials=("wool", "jute", "cotton", "seagrass", "recycled polyester", "sisal"),
        features=("hand-woven", "flat-weave", "washable", "braided", "striped", "reversible"),
        uses=(
            "cold floors and bare feet",
            "quietening a room with hard walls",
            "busy hallways",
            "pulling a seating group together",
        ),
    ),
    Category(
        name="Outdoor",
        prefix="OD",
        kinds=(
            Kind("garden chair", 58, 60, 86),
            Kind("garden table", 160, 90, 74),
            Kind("garden bench", 140, 62, 88),
            Kind("sun lounger", 68, 196, 38),
            Kind("parasol", 270, 270, 246, ("cotton", "recycled polyester")),
            Kind("hammock", 140, 220, 6, ("cotton", "recycled polyester")),
            Kind("planter", 42, 42, 44, ("terracotta", "concrete", "steel")),
            Kind("fire bowl", 62, 62, 36, ("steel", "concrete")),
        ),
        materials=("teak", "acacia", "aluminium", "steel", "rattan", "recycled plastic"),
        features=("weatherproof", "balcony", "compact", "rustic", "generous", "featherweight"),
        uses=(
            "balconies that catch the evening sun",
            "rain, frost and forgetful owners",
            "long lunches under a tree",
            "gardens of any size",
        ),
    ),
    Category(
        name="Textiles",
        prefix="TX",
        kinds=(
            Kind("cushion", 50, 50, 14),
            Kind("throw", 130, 180, 1),
            Kind("curtain", 140, 1, 260),
            Kind("duvet cover", 200, 220, 2, ("linen", "cotton", "organic cotton")),
            Kind("bath towel", 70, 140, 1, ("cotton", "organic cotton", "linen")),
            Kind("tablecloth", 145, 250, 1, ("linen", "cotton", "organic cotton")),
            Kind("bedspread", 240, 260, 2),
        ),
        materials=("linen", "cotton", "wool", "velvet", "organic cotton", "mohair", "corduroy"),
        features=("stonewashed", "quilted", "fringed", "striped", "waffle", "embroidered"),
        uses=(
            "chilly evenings",
            "a softer light at noon",
            "linen cupboards that last for years",
            "a change of season without new furniture",
        ),
    ),
    Category(
        name="Mirrors",
        prefix="MR",
        kinds=(
            Kind("wall mirror", 70, 4, 90),
            Kind("floor mirror", 66, 5, 172),
            Kind("bathroom mirror", 80, 4, 60),
            Kind("hand mirror", 14, 2, 26),
            Kind("table mirror", 22, 12, 32),
        ),
        materials=("oak", "brass", "steel", "rattan", "walnut", "aluminium"),
        features=("round", "arched", "scalloped", "pebble", "bevelled", "oval", "thin-framed"),
        uses=(
            "bringing daylight into a dark hall",
            "a last look before leaving",
            "small bathrooms",
            "making a narrow room feel wider",
        ),
    ),
    Category(
        name="Decor",
        prefix="DC",
        kinds=(
            Kind("vase", 18, 18, 30),
            Kind("candle holder", 12, 12, 20),
            Kind("wall clock", 34, 5, 34),
            Kind("picture frame", 40, 3, 50),
            Kind("tray", 42, 30, 5),
            Kind("bowl", 30, 30, 10),
            Kind("bookend", 12, 14, 18),
        ),
        materials=("ceramic", "glass", "brass", "marble", "oak", "terracotta", "concrete"),
        features=("hand-thrown", "ribbed", "fluted", "sculptural", "small", "glazed", "tall"),
        uses=(
            "a single branch or a full bouquet",
            "shelves that look too tidy",
            "a present that fits every home",
            "the middle of the table",
        ),
    ),
    Category(
        name="Kitchen",
        prefix="KT",
        kinds=(
            Kind("kitchen trolley", 68, 44, 88),
            Kind("kitchen island", 128, 78, 92),
            Kind("plate rack", 44, 28, 38),
            Kind("chopping board", 46, 30, 3, ("oak", "acacia", "walnut", "marble")),
            Kind("spice rack", 42, 10, 36),
            Kind("bread bin", 40, 24, 20),
            Kind("wine rack", 46, 26, 52),
        ),
        materials=("oak", "beech", "acacia", "bamboo", "steel", "marble", "walnut"),
        features=("slim", "rounded", "two-tone", "farmhouse", "compact", "heavy-duty"),
        uses=(
            "cooks who like things at hand",
            "kitchens without a single free cupboard",
            "Sunday baking",
            "rented flats where nothing may be drilled",
        ),
    ),
    Category(
        name="Children",
        prefix="KD",
        kinds=(
            Kind("cot", 68, 126, 92, ("birch", "pine", "beech")),
            Kind("bunk bed", 98, 208, 164, ("birch", "pine", "beech")),
            Kind("toy box", 76, 42, 44),
            Kind("step stool", 38, 32, 26, ("birch", "beech", "bamboo")),
            Kind("play table", 72, 52, 48, ("birch", "pine", "beech")),
            Kind("high chair", 48, 54, 92, ("birch", "beech")),
            Kind("picture-book shelf", 64, 28, 82, ("birch", "pine", "bamboo")),
        ),
        materials=("birch", "pine", "beech", "felt", "bamboo"),
        features=("growing", "rounded", "sturdy", "low", "scalloped", "little"),
        uses=(
            "small hands and big plans",
            "two children in one room",
            "tidying up that feels like a game",
            "the first years and the ones after",
        ),
    ),
)

# What a thing is made of decides which colours it can have.
FAMILIES = {
    "wood": (
        "oak",
        "ash",
        "walnut",
        "beech",
        "birch",
        "pine",
        "teak",
        "acacia",
        "bamboo",
    ),
    "metal": ("steel", "brass", "aluminium"),
    "fabric": (
        "wool",
        "velvet",
        "linen",
        "cotton",
        "organic cotton",
        "corduroy",
        "bouclé",
        "mohair",
        "felt",
        "recycled polyester",
    ),
    "leather": ("leather",),
    "woven": ("rattan", "seagrass", "jute", "sisal"),
    "mineral": ("marble", "terrazzo", "ceramic", "terracotta", "concrete"),
    "light": ("glass", "paper", "recycled plastic"),
}

COLOURS = {
    "wood": ("natural", "honey", "smoked brown", "white", "black", "sage green"),
    "metal": ("black", "white", "brass", "chrome", "brick red", "sage green", "dusty blue"),
    "fabric": (
        "oatmeal",
        "charcoal",
        "navy blue",
        "dusty blue",
        "forest green",
        "sage green",
        "mustard yellow",
        "terracotta",
        "blush pink",
        "burgundy",
        "light grey",
        "cream",
    ),
    "leather": ("cognac", "black", "chestnut brown", "cream", "forest green"),
    "woven": ("natural tan", "honey", "black", "white"),
    "mineral": ("white", "light grey", "charcoal", "sand", "terracotta", "forest green"),
    "light": ("clear", "white", "smoked grey", "amber", "blush pink", "dusty blue"),
}

BRANDS = (
    "Aldermoor",
    "Bergholt",
    "Casa Lume",
    "Dorrit & Daughters",
    "Eikenhof",
    "Fennimore",
    "Gravenland",
    "Hollis Works",
    "Isla Norte",
    "Juniper Row",
    "Kestrel Studio",
    "Lindqvist",
    "Maison Orme",
    "Noorderlicht",
    "Oakhaven",
    "Plain Goods",
    "Quarter & Rye",
    "Rosendal",
    "Sønderby",
    "Tidewater",
    "Umbra Casa",
    "Vilhelm Berg",
    "Westerkade",
    "Zuiderzee Home",
)

SERIES = (
    "Adda",
    "Alma",
    "Arvid",
    "Aster",
    "Balder",
    "Bodil",
    "Brisa",
    "Calla",
    "Corvo",
    "Dagny",
    "Delft",
    "Ebba",
    "Elio",
    "Embla",
    "Falun",
    "Fjell",
    "Freya",
    "Gaia",
    "Grove",
    "Halden",
    "Hugo",
    "Hygge",
    "Ida",
    "Ivo",
    "Jonas",
    "Juno",
    "Kaya",
    "Kilda",
    "Lago",
    "Leif",
    "Linnea",
    "Luna",
    "Malmö",
    "Marlow",
    "Mika",
    "Mistral",
    "Nora",
    "Nyx",
    "Odense",
    "Olmo",
    "Orla",
    "Pia",
    "Porto",
    "Quill",
    "Reed",
    "Rune",
    "Saga",
    "Selma",
    "Skagen",
    "Solveig",
    "Tarn",
    "Texel",
    "Tilda",
    "Ulla",
    "Vesta",
    "Vidar",
    "Willow",
    "Ydun",
    "Yara",
    "Zora",
)

OPENINGS = (
    "{Article} {feature} {kind} made for {use}.",
    "Our {feature} {kind} is at home wherever you need it: made for {use}.",
    "The {series} {kind} is {article} {feature} piece for {use}.",
    "Designed by {brand} for {use}, this {kind} keeps its {feature} lines simple.",
    "Made for {use}: {article} {feature} {kind} with nothing to hide.",
)

CRAFT = {
    "wood": (
        "Solid {material} from certified forests, with a {colour} oil finish.",
        "The {material} is jointed by hand and left with a soft, {colour} grain.",
    ),
    "metal": (
        "Welded from {material} and finished in {colour}, it shrugs off knocks.",
        "A slim {material} body in {colour} that weighs less than it looks.",
    ),
    "fabric": (
        "Woven from {material} in {colour}, dense enough for daily use.",
        "The {material} comes in {colour} and grows softer over the years.",
    ),
    "leather": (
        "Full-grain {material} in {colour} that ages well and tells no lies.",
        "Vegetable-tanned {material} in {colour}, stitched twice at every seam.",
    ),
    "woven": (
        "Hand-woven {material} in {colour}; no two pieces are quite the same.",
        "Tightly woven {material} in {colour} brings texture without weight.",
    ),
    "mineral": (
        "Shaped from {material} in {colour}, with a cool and even surface.",
        "The {colour} {material} is sealed, so that stains wipe away.",
    ),
    "light": (
        "Made of {material} in {colour}, it plays with the light of the room.",
        "Thin {material} in {colour} keeps the whole thing light.",
    ),
}

CLOSINGS = (
    "Arrives flat-packed with every tool that you need.",
    "Delivered in one piece, by two people, to the room of your choice.",
    "Wipes clean with a damp cloth.",
    "Comes with a ten-year guarantee.",
    "Spare parts stay available for at least fifteen years.",
    "Packed without plastic.",
    "Made in small batches in Portugal.",
    "Made in Denmark since 1987.",
    "Pairs well with the rest of the {series} series.",
    "Tested for homes, good enough for hotels.",
)
