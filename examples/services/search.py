"""The search service: full-text search over the catalogue, in the manner of Meilisearch.

    python search.py [--port 8081]
    curl 'http://127.0.0.1:8081/products/search?q=oak+chair&limit=2'

It knows nothing about prices. That is why the Route exists.
"""

import operator
import re
import sqlite3
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import bodies
import catalogue
import problems
import serving
from catalogue import Product

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
MAX_OFFSET = 1_000_000
MAX_WORDS = 10

# The searched columns and how much a match in each of them counts.
WEIGHTS = {
    "name": 10.0,
    "category": 6.0,
    "brand": 2.0,
    "colour": 3.0,
    "material": 4.0,
    "description": 1.0,
}

STOP_WORDS = frozenset({"a", "an", "and", "for", "in", "of", "the", "to", "with"})
PLURALS = (("ves", "f"), ("ies", "y"), ("es", ""), ("s", ""))

Hit = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """The asked-for part of the hits, and how many there are in all."""

    hits: Sequence[Hit]
    total: int


class Index:
    """The catalogue in an SQLite FTS5 table in memory; built at start, then only read."""

    def __init__(self, products: Sequence[Product]) -> None:
        popular_first = sorted(products, key=lambda product: (-_popularity(product), product.sku))
        self._hits: list[Hit] = [asdict(product) for product in popular_first]
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._create()

    def _create(self) -> None:
        columns = ", ".join(WEIGHTS)
        self._db.execute(
            f"CREATE VIRTUAL TABLE products USING fts5({columns}, "
            "tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3')"
        )
        weights = ", ".join(str(weight) for weight in WEIGHTS.values())
        self._db.execute(
            "INSERT INTO products (products, rank) VALUES ('rank', ?)", [f"bm25({weights})"]
        )
        self._db.executemany(
            "INSERT INTO products VALUES (?, ?, ?, ?, ?, ?)",
            map(operator.itemgetter(*WEIGHTS), self._hits),
        )
        self._db.commit()

    def search(self, query: str, *, limit: int, offset: int) -> Page:
        """Find products that have every word of the query, best match first.

        An empty query finds everything, the most popular first. A query without any word in
        it (only punctuation, say) finds nothing.
        """
        if not query.strip():
            return Page(self._hits[offset : offset + limit], len(self._hits))
        expression = match_expression(query)
        if not expression:
            return Page([], 0)
        return self._match(expression, limit=limit, offset=offset)

    def _match(self, expression: str, *, limit: int, offset: int) -> Page:
        (total,) = self._db.execute(
            "SELECT count(*) FROM products WHERE products MATCH ?", [expression]
        ).fetchone()
        # Equal ranks fall back to rowid, which is the order of popularity.
        rows = self._db.execute(
            "SELECT rowid FROM products WHERE products MATCH ? "
            "ORDER BY rank, rowid LIMIT ? OFFSET ?",
            [expression, limit, offset],
        )
        return Page([self._hits[rowid - 1] for (rowid,) in rows], total)


def match_expression(query: str) -> str:
    """Translate what a person typed into FTS5's language; empty when there is no word in it.

    Only letters and digits survive, each word in quotes, so nothing that a person types is
    ever an operator. The last word is still being typed and matches as a prefix.
    """
    words = _words(query)
    if not words:
        return ""
    *finished, typing = words
    clauses = [*(_any_form(word) for word in finished), _any_form(typing, prefix=True)]
    return " AND ".join(clauses)


def _words(query: str) -> list[str]:
    text = unicodedata.normalize("NFKC", query).casefold()
    words = re.findall(r"[^\W_]+", text)
    return [word for word in words if word not in STOP_WORDS][:MAX_WORDS] or words[:1]


def _any_form(word: str, *, prefix: bool = False) -> str:
    """Match the word as it is typed, or its singular: "shelves" finds a shelf."""
    typed = f'"{word}"*' if prefix else f'"{word}"'
    singulars = [
        f'"{word.removesuffix(ending)}{singular}"'
        for ending, singular in PLURALS
        if word.endswith(ending) and len(word) > len(ending) + 2
    ]
    return f"({' OR '.join([typed, *singulars])})"


def _popularity(product: Product) -> float:
    """Rank by rating, but trust it only as far as there are reviews."""
    doubt = 40
    return (product.rating * product.reviews + 3.8 * doubt) / (product.reviews + doubt)


def app(index: Index) -> Starlette:
    """Put the index behind HTTP."""

    async def products_search(request: Request) -> Response:
        started = time.perf_counter()
        query = request.query_params.get("q", "")
        limit = bodies.whole_number(request, "limit", default=DEFAULT_LIMIT, low=1, high=MAX_LIMIT)
        offset = bodies.whole_number(request, "offset", default=0, low=0, high=MAX_OFFSET)
        # A query takes well under a millisecond, so it runs here and not in a thread.
        page = index.search(query, limit=limit, offset=offset)
        return JSONResponse(
            {
                "hits": page.hits,
                "query": query,
                "limit": limit,
                "offset": offset,
                "estimatedTotalHits": page.total,
                "processingTimeMs": int((time.perf_counter() - started) * 1000),
            }
        )

    return Starlette(
        routes=[Route("/products/search", products_search), Route("/health", _health)],
        exception_handlers=problems.HANDLERS,
    )


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "available"})


def main() -> None:
    """Build the index and serve it."""
    at = serving.address("search", port=8081, about="The search service of the example shop.")
    serving.run(app(Index(catalogue.generate())), at)


if __name__ == "__main__":
    main()
