"""Answers and paging all lists share: a whole page or its fragment, 303 after a post, keyset pages, counts."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.formats import number_format
from django_htmx.http import HttpResponseClientRedirect

Row = TypeVar("Row", bound=Model)
Shown = TypeVar("Shown")
MOST_ID = 2**63 - 1


def wants_fragment(request: HttpRequest) -> bool:
    """Tell whether htmx asks for the page's main fragment; a history restore or a boosted link wants the whole page."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.history_restore_request and not htmx.boosted


def render_page(
    request: HttpRequest, page_template: str, fragment_template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Answer with the whole page or, asked by htmx, with its main fragment; caches are told the two apart."""
    template = fragment_template if wants_fragment(request) else page_template
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request", "HX-Boosted"])
    return response


def see_other(url: str, request: HttpRequest | None = None) -> HttpResponse:
    """Send the browser on after a post. Given an htmx request, the whole page navigates instead of the fragment."""
    if request is not None and wants_fragment(request):
        return HttpResponseClientRedirect(url)
    return HttpResponse(status=303, headers={"Location": url})


@dataclass(frozen=True)
class Cursor:
    """The row a page begins after.

    Attributes:
        at, pk: The row's time (aware) and key.
        first: Number of the page's first row, for the eye only: "51–100".
        back: The page ends before the row instead of beginning after it.
    """

    at: datetime
    pk: int
    first: int = 1
    back: bool = False

    def text(self) -> str:
        """Return it for an address."""
        plain = f"{'b' if self.back else 'f'}|{self.at.isoformat()}|{self.pk}|{self.first}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """Read one from an address; whatever :meth:`text` did not write is ``None``."""
        try:
            way, at, pk, first = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").split("|")
            cursor = cls(datetime.fromisoformat(at), int(pk), int(first), way == "b")
            cursor.at.astimezone(UTC)
        except (ValueError, OverflowError, binascii.Error):
            return None
        sound = cursor.at.tzinfo and 0 <= cursor.pk <= MOST_ID and 1 <= cursor.first <= 10**9 and way in "bf"
        return cursor if sound else None


def older(column: str, cursor: Cursor) -> Q:
    """Return the rows after the cursor, newest first, in the form an index on (column, id) serves at any depth."""
    at, pk = cursor.at, cursor.pk
    return Q(**{f"{column}__lte": at}) & (Q(**{f"{column}__lt": at}) | Q(pk__lt=pk))


def newest_first(found: QuerySet[Any], column: str, at_once: int) -> Iterator[Any]:
    """Yield all rows, so many at once: memory stays flat, and no statement stays open however slowly they are taken.

    Args:
        found: Of objects, or of ``values()`` with the column and ``id`` among them.
    """
    every = found.order_by(f"-{column}", "-pk")
    rows = list(every[:at_once])
    while rows:
        yield from rows
        last = rows[-1]
        at, pk = (last[column], last["id"]) if isinstance(last, dict) else (getattr(last, column), last.pk)
        rows = list(every.filter(older(column, Cursor(at, pk)))[:at_once]) if len(rows) == at_once else []


def newer(column: str, cursor: Cursor) -> Q:
    """Return the rows before the cursor; see :func:`older`."""
    at, pk = cursor.at, cursor.pk
    return Q(**{f"{column}__gte": at}) & (Q(**{f"{column}__gt": at}) | Q(pk__gt=pk))


@dataclass(frozen=True)
class Page(Generic[Shown]):
    """One page of rows, and the cursor texts of its neighbours ("" where there is none)."""

    rows: list[Shown]
    first: int = 1
    next: str = ""
    previous: str = ""
    name: str = "at"

    @property
    def last(self) -> int:
        """Number of the last row; one less than ``first`` on an empty page."""
        return self.first + len(self.rows) - 1

    def __iter__(self) -> Iterator[Shown]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Keyset:
    """Pages by (column, id), newest first; ``name`` is the query parameter that carries the cursor."""

    column: str
    size: int = 50
    name: str = "at"

    def page(self, queryset: QuerySet[Row], text: str = "") -> Page[Row]:
        """Return the page a cursor text names; a broken one, or one past the end, gives the first."""
        cursor = Cursor.read(text) if text else None
        if cursor and cursor.back:
            return self._before(queryset, cursor)
        wanted = queryset.filter(older(self.column, cursor)) if cursor else queryset
        rows = list(wanted.order_by(f"-{self.column}", "-pk")[: self.size + 1])
        if cursor and not rows:
            return self.page(queryset)
        return self.cut(rows, cursor)

    def cut(self, rows: list[Row], cursor: Cursor | None) -> Page[Row]:
        """Make a page of ``size + 1`` rows read forward, newest first: the last only tells that there are more."""
        more, rows = len(rows) > self.size, rows[: self.size]
        first = cursor.first if cursor else 1
        return Page(
            rows,
            first,
            next=self._cursor(rows[-1], first + self.size).text() if more else "",
            previous=replace(self._cursor(rows[0], max(1, first - self.size)), back=True).text() if cursor else "",
            name=self.name,
        )

    def _before(self, queryset: QuerySet[Row], cursor: Cursor) -> Page[Row]:
        wanted = queryset.filter(newer(self.column, cursor)).order_by(self.column, "pk")
        rows = list(wanted[: self.size + 1])
        if len(rows) <= self.size:  # the top is reached: show a full first page, not a short one
            return self.page(queryset)
        rows = rows[: self.size][::-1]
        return Page(
            rows,
            cursor.first,
            next=self._cursor(rows[-1], cursor.first + self.size).text(),
            previous=replace(self._cursor(rows[0], max(1, cursor.first - self.size)), back=True).text(),
            name=self.name,
        )

    def _cursor(self, row: Row, first: int) -> Cursor:
        return Cursor(getattr(row, self.column), row.pk, first)


@dataclass(frozen=True)
class Count:
    """How many rows there are, as far as it was worth counting."""

    number: int
    capped: bool = False

    def __str__(self) -> str:
        return number_format(self.number, force_grouping=True) + ("+" if self.capped else "")


def capped_count(queryset: QuerySet[Any], most: int = 10_000) -> Count:
    """Count rows, but never more than ``most``: beyond that the number costs more than it says."""
    number = queryset.order_by()[: most + 1].count()
    return Count(min(number, most), capped=number > most)
