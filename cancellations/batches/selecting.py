"""What was selected in the list of orders, frozen: the orders ticked, or all that match at this moment."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse

from cancellations.batches.forms import MOST_SELECTED, ids_of
from cancellations.orders.forms import SearchForm
from cancellations.orders.search import search
from cancellations.people.models import Person
from cancellations.shops.scope import seen_by

_PER_READ = 500


@dataclass(frozen=True)
class Chosen:
    """Orders, newest first; ``back`` is the list they were chosen in; ``capped``: there are more that match."""

    ids: list[int]
    back: str
    capped: bool = False


def select(person: Person, posted: QueryDict) -> Chosen:
    """Read a posted selection: ``orders`` ticked, or ``all`` with the list's ``query``.

    Orders that were not shown cannot be meant: what is ticked counts only where the person may see it.
    """
    query = posted.get("query", "")[:2000]
    back = reverse("orders:list") + (f"?{query}" if query else "")
    if "all" not in posted:
        ticked = ids_of(",".join(posted.getlist("orders")))
        return Chosen(ticked[:MOST_SELECTED], back, capped=len(ticked) > MOST_SELECTED)
    ids: list[int] = []
    for pk in _matching(person, query):
        if len(ids) == MOST_SELECTED:
            return Chosen(ids, back, capped=True)
        ids.append(pk)
    return Chosen(ids, back)


def _matching(person: Person, query: str) -> Iterator[int]:
    shops = seen_by(person)
    form = SearchForm(QueryDict(query), shops)
    if not form.is_valid():
        return
    filters, at = form.filters(), ""
    while True:
        page = search(person, filters, at, size=_PER_READ, shops=shops).page
        for order in page.rows:
            yield order.pk
        at = page.next
        if not at:
            return
