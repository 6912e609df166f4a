"""Photographs every page of the desk in every state and every look, to be looked at by eye.

python -m tests.browser.album --looks 390-light-en,1280-dark-zh --only '^31-' --folder data/album
"""

import argparse
import itertools
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from playwright.sync_api import Browser, Error, Page, sync_playwright

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.browser import pages  # noqa: E402 - the journey needs the apps
from tests.browser.conftest import FLAGS  # noqa: E402
from tests.browser.journey import enter  # noqa: E402
from tests.conftest import CHROMIUM  # noqa: E402
from tests.stack import ROOT, Stack, stack  # noqa: E402

LANGUAGES = {"en": "en", "zh": "zh-CN"}
# Nobody looks again by itself while the pictures are taken.
PATIENCE = {"LOG_LEVEL": "WARNING", "PROBE_SECONDS": "86400", "CALL_SECONDS": "5"}


@dataclass(frozen=True)
class Look:
    """How a page is looked at: width in pixels, ``light`` or ``dark``, ``en`` or ``zh``; or on paper."""

    width: int
    scheme: str
    language: str

    @property
    def name(self) -> str:
        return f"{self.width}-{self.scheme}-{self.language}"


LOOKS = [Look(*one) for one in itertools.product((390, 768, 1280, 1920), ("light", "dark"), LANGUAGES)]


@dataclass
class Album:
    """Takes the pictures; ``failed`` says which could not be taken, and why."""

    browser: Browser
    desk: Stack
    folder: Path
    looks: Sequence[Look]
    only: str
    paper: bool
    failed: list[str]
    kept: dict[str, Any]

    def wants(self, sights: Iterable[pages.Sight]) -> list[pages.Sight]:
        """Return those of the sights that were asked for."""
        return [one for one in sights if re.search(self.only, one.name)]

    def take(self, sights: Iterable[pages.Sight], *looks: Look) -> None:
        """Photograph every sight in every look, or in some."""
        wanted = self.wants(sights)
        for look in looks or self.looks:
            for who in sorted({one.who for one in wanted}):
                context = self.browser.new_context(
                    base_url=self.desk.url, viewport={"width": look.width, "height": 900},
                    locale=LANGUAGES[look.language], color_scheme=look.scheme, storage_state=self._sign_in(who),
                    has_touch=look.width < 1000,
                )  # fmt: skip
                context.set_default_timeout(15_000)
                for one in wanted:
                    if one.who == who:
                        self._photograph(context.new_page(), one, look)
                context.close()

    def _photograph(self, page: Page, sight: pages.Sight, look: Look) -> None:
        path = self.folder / f"{sight.name}.{look.name}.png"
        try:
            page.goto(sight.address)
            page.wait_for_load_state("networkidle")
            sight.act(page, self.desk)
            page.evaluate("scrollTo(0, 0)")  # else what stands still would stand in the middle
            page.screenshot(path=path, full_page=True)
            if sight.printed and self.paper:
                page.emulate_media(media="print")
                page.set_viewport_size({"width": 794, "height": 1123})  # A4
                page.screenshot(path=path.with_suffix(".print.png"), full_page=True)
        except (Error, AssertionError) as error:
            self.failed.append(f"{path.name}: {str(error).splitlines()[0]}")
        finally:
            sight.after(page, self.desk)
            page.close()

    def _sign_in(self, who: str) -> Any:
        """Return the cookies of somebody who is signed in; once for all looks."""
        if who and who not in self.kept:
            page = self.browser.new_context(base_url=self.desk.url).new_page()
            page.goto("/")
            enter(page, who)
            page.wait_for_url(f"{self.desk.url}/")
            self.kept[who] = page.context.storage_state()
            page.context.close()
        return self.kept.get(who)


def main() -> int:
    """Make the album; exits 1 when a picture could not be taken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--looks", default="", help=f"some of {', '.join(one.name for one in LOOKS)}; all without it")
    parser.add_argument("--only", default="", help="only pictures whose name this regular expression finds")
    parser.add_argument("--folder", type=Path, default=ROOT / "data" / "album")
    parser.add_argument("--no-paper", action="store_true", help="leave out how pages print")
    given = parser.parse_args()
    names = [one for one in given.looks.split(",") if one]
    looks = [one for one in LOOKS if not names or one.name in names]
    if len(looks) < len(names):
        parser.error(f"there is no such look; there are {', '.join(one.name for one in LOOKS)}")
    given.folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        stack(Path(folder), **PATIENCE) as desk,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        album = Album(browser, desk, given.folder, looks, given.only, not given.no_paper, [], {})
        made = pages.made_by(desk, "all_states")
        album.take([*pages.every(made), *pages.at_the_door(made)])
        for look in looks if album.wants(pages.when_held(made)) else ():  # a hold that can end does so by itself
            album.take(pages.when_held(pages.made_by(desk, "hold")), look)
        if album.wants(pages.when_silent(made)):
            with pages.frozen(desk):
                album.take(pages.when_silent(pages.made_by(desk, "silent")))
        browser.close()
    print(f"{len(list(given.folder.glob('*.png')))} pictures in {given.folder}", *album.failed, sep="\n")  # noqa: T201
    return int(bool(album.failed))


if __name__ == "__main__":
    sys.exit(main())
