"""``{% url … as … %}`` says nothing when there is no such address; the link is simply gone. So it is looked at here."""

import re
from pathlib import Path

import pytest
from django.urls import reverse

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
NAMED = sorted(
    {
        name
        for file in TEMPLATES.rglob("*.html")
        for name in re.findall(r'{% url "([a-z_:]+)" as \w+ %}', file.read_text(encoding="utf-8"))
    }
)


@pytest.mark.parametrize("name", NAMED)
def test_an_address_a_template_keeps_under_a_name_is_there(name: str) -> None:
    assert reverse(name).startswith("/")
