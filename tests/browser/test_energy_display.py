"""The page of muons in a real browser: the threshold hides cells, places are those of the block."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloudchamber.calorimeter_events import join_muons
from cloudchamber.show.energy_display import write_energy_display
from tests.browser.test_voxels_display import CHROMIUM, OPTIONS, Shown
from tests.show.energy import toy_muon

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

LINES = """(at) => {
  const { data } = voxels.page.state;
  const cells = [...Array(data.count).keys()];
  const k = cells.find((k) => at.every((part, axis) => data.raw[3 * k + axis] === part));
  return voxels.lines(data, k);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (or set CHROMIUM to its path)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.mark.parametrize("canvas", [False, True])
def test_cells_are_shown_where_they_are(browser: "Browser", tmp_path: Path, canvas: bool) -> None:
    path = tmp_path / "m.html"
    write_energy_display(path, join_muons([toy_muon(), toy_muon(300.0)]))
    shown = Shown(browser, path, canvas=canvas)
    page = shown.page
    assert shown.shown() == [12]  # of 13: one has 2 MeV
    assert "13 cells shown" in page.locator(".shown").inner_text()
    assert shown.coloured(0) > 100
    for view in ("xy", "xz", "zy", "3d"):
        page.locator(f'[data-view="{view}"]').click()
        assert shown.coloured(0) > 50
    shown.slide("energy", 0)
    assert shown.shown() == [13]
    shown.slide("energy", 0.95)
    assert shown.shown() == [1]
    assert page.evaluate(LINES, [5, 2, 4]) == [
        "energy: 6050 MeV",
        "x 0.75, y -0.25, z 16.00 cm",
        "cell 5, 2, 4",
    ]
    assert "MeV in a cell" in page.locator(".key").inner_text()
    page.locator("#event").select_option("1")
    assert "300 GeV" in page.locator("#facts").inner_text()
    assert shown.complaints == []
    assert shown.requests == [path.as_uri()]
    shown.context.close()
