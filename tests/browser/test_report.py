"""The report in a real browser: it draws, turns, fits, and asks nothing of the network."""

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.image import imread

from cloudchamber.score.walls import score_walls
from cloudchamber.show.facts import ReportFacts
from cloudchamber.show.report import write_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]  # fmt: skip
READY_MS = 240_000  # software rendering on a busy machine


class Watched:
    """A page, and what it complained of and asked for."""

    def __init__(self, browser: "Browser", path: Path, width: int, dark: bool = False) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self._complaint(message.type, message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        context.route("**/*", self._route)
        self.page.set_default_timeout(READY_MS)
        self.page.goto(path.as_uri(), wait_until="commit")
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def _complaint(self, kind: str, text: str) -> None:
        if kind == "error":
            self.errors.append(text)

    def _route(self, route: Any) -> None:
        url = route.request.url
        if url.startswith("file:"):
            route.continue_()
            return
        self.requests.append(url)
        route.abort()


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (or set CHROMIUM to its path)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(volumes: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(
        path, x0_m=volumes.x0_m, walls=volumes.walls, preds=volumes.preds, probability=volumes.probability,
        score=score_walls(volumes.preds, volumes.walls, volumes.probability),
        facts=ReportFacts(commands=("cloudchamber report " + "a-long-name-" * 12,), seed=4, model="a model"),
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def desktop(browser: "Browser", report: Path) -> Watched:
    return Watched(browser, report, 1280)


def pixels(element: "Locator") -> np.ndarray:
    """Return the RGB of what an element looks like on the screen."""
    return np.asarray(imread(io.BytesIO(element.screenshot())))[..., :3]


def eyes(page: "Page") -> list[dict[str, float]]:
    return list(page.evaluate("[...document.querySelectorAll('.view')].map(v => v.layout.scene.camera.eye)"))


def wait_for_turn(page: "Page", index: int, old: dict[str, float]) -> None:
    for _ in range(100):
        if eyes(page)[index] != old:
            return
        page.wait_for_timeout(100)
    pytest.fail(f"view {index} did not turn")


def test_nine_views_are_drawn(desktop: Watched) -> None:
    views = desktop.page.locator(".view")
    assert views.count() == 9
    for k in range(9):
        assert views.nth(k).locator("canvas").count() >= 1
        image = pixels(views.nth(k))
        far = np.abs(image - np.median(image.reshape(-1, 3), axis=0)).max(axis=-1) > 0.1
        assert far.mean() > 0.01, f"view {k} is blank"


def test_headline_and_no_empty_panels(desktop: Watched) -> None:
    assert desktop.page.locator(".result b").inner_text().startswith("IOU 0.")
    svgs = desktop.page.locator("figure svg[aria-label]")
    assert svgs.count() >= 6
    for k in range(svgs.count()):
        assert svgs.nth(k).get_attribute("aria-label")
        box = svgs.nth(k).bounding_box()
        assert box is not None
        assert box["height"] > 50


def test_dragging_turns_the_views_of_a_volume_together(desktop: Watched) -> None:
    page, view = desktop.page, desktop.page.locator(".view").nth(3)
    view.scroll_into_view_if_needed()
    before, old = pixels(view), eyes(page)
    box = view.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 5, steps=4)
    page.mouse.up()
    for index in (3, 4, 5):
        wait_for_turn(page, index, old[index])
    new = eyes(page)
    assert new[4] == pytest.approx(new[3], abs=1e-6)
    assert new[5] == pytest.approx(new[3], abs=1e-6)
    assert new[:3] == old[:3]
    assert new[6:] == old[6:]
    page.wait_for_timeout(300)
    assert np.abs(pixels(view) - before).max() > 0.2


def test_fits_a_desktop_and_a_phone(desktop: Watched, browser: "Browser", report: Path) -> None:
    phone = Watched(browser, report, 390, dark=True)
    for watched, width in ((desktop, 1280), (phone, 390)):
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
        wide = watched.page.evaluate(
            "[...document.querySelectorAll('main > *, .views > *')]"
            ".filter(e => e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.className)"
        )
        assert wide == []
        assert watched.errors == []
        assert watched.requests == []
    dark = phone.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != desktop.page.evaluate("getComputedStyle(document.body).backgroundColor")
