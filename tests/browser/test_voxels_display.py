"""The page of sparse events in a real browser: counts, hover, thresholds, speed, no network."""

import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from jaxtyping import Float
from matplotlib.image import imread

from cloudchamber.show.voxels_display import write_voxels_display
from cloudchamber.show.voxels_theme import CLASSES
from cloudchamber.voxel_events import VoxelEvents, join_events, offsets_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]  # fmt: skip
READY_MS = 60_000
STEP_MS = 1000  # a step of a slider at 20,000 voxels; about 60 in software rendering on an idle machine
VOXELS = 20_000
STEP = """async () => {
  const times = [], slider = document.getElementById("energy");
  for (let k = 0; k < 9; k++) {
    const start = performance.now();
    slider.value = k / 20;
    slider.dispatchEvent(new Event("input"));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[4];
}"""


class Shown:
    """A page, and what it complained of and asked for."""

    def __init__(
        self, browser: "Browser", path: Path, width: int = 1280, dark: bool = False, canvas: bool = False
    ) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        self.page: Page = self.context.new_page()
        self.page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.set_default_timeout(READY_MS)
        self.url = path.as_uri() + ("#canvas" if canvas else "")
        self.page.goto(self.url)
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def settle(self) -> None:
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def slide(self, name: str, value: float) -> None:
        self.page.locator(f"#{name}").fill(str(value))
        self.settle()

    def shown(self) -> list[int]:
        self.settle()
        texts = self.page.locator(".shown").all_inner_texts()
        return [int(text.split(" of ")[0].replace(",", "")) for text in texts]

    def counts(self, name: str) -> list[int]:
        cells = [self.page.locator(f'[data-count="{name}-{k}"]').inner_text() for k in range(len(CLASSES))]
        return [int(cell.replace(",", "")) for cell in cells]

    def image(self, panel: int) -> Any:
        self.settle()
        image: Any = imread(io.BytesIO(self.page.locator(".stage").nth(panel).screenshot()))
        return np.asarray(image)[..., :3]

    def coloured(self, panel: int) -> int:
        """Return how many pixels of a view are neither grey nor black nor white."""
        image = self.image(panel)
        return int(np.count_nonzero(image.max(axis=-1) - image.min(axis=-1) > 0.25))


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
def events(toy_event: Callable[..., VoxelEvents]) -> VoxelEvents:
    return join_events([toy_event(VOXELS, 1), toy_event(3000, 2)])


@pytest.fixture(scope="module")
def probability(events: VoxelEvents) -> Float[np.ndarray, "voxel class"]:
    rng = np.random.default_rng(3)
    assert events.label is not None
    sure = np.eye(len(CLASSES))[events.label] * rng.random((len(events.label), 1))
    mixed = sure + rng.dirichlet(np.full(5, 0.3), len(sure)) * 0.3
    return np.asarray(mixed / mixed.sum(axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def path(events: VoxelEvents, probability: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("voxels") / "voxels.html"
    facts = {"model": "<b>a-long-name-</b>" * 8, "data": "</script><script>throw 1</script>"}
    write_voxels_display(path, events, probability=probability, facts=facts)
    return path


@pytest.fixture
def shown(browser: "Browser", path: Path) -> Iterator[Shown]:
    shown = Shown(browser, path)
    yield shown
    assert shown.complaints == []
    assert shown.requests == [shown.url]
    shown.context.close()


def test_counts_are_those_of_the_arrays(shown: Shown, events: VoxelEvents, probability: Any) -> None:
    predicted = probability.argmax(axis=1)
    assert events.label is not None
    for number in (0, 1):
        where = events.voxels_of(number)
        shown.page.select_option("#event", str(number))
        truth, guess = events.label[where], predicted[where]
        assert shown.shown() == [len(truth)] * 2
        assert shown.counts("truth") == np.bincount(truth, minlength=5).tolist()
        assert shown.counts("predicted") == np.bincount(guess, minlength=5).tolist()
        assert shown.counts("both") == np.bincount(truth[truth == guess], minlength=5).tolist()
        assert f"non-zero accuracy {100 * np.mean(truth == guess):.2f}%" in shown.page.inner_text("#facts")
        assert min(shown.coloured(0), shown.coloured(1)) > 2000


def test_thresholds_and_wrong_voxels(shown: Shown, events: VoxelEvents, probability: Any) -> None:
    event, score = events.chosen(0, 1), probability[:VOXELS].max(axis=1)
    low, high = np.log(event.energy_mev.min()), np.log(event.energy_mev.max())
    above = event.energy_mev >= np.exp(low + (high - low) * 0.5)
    shown.slide("energy", 0.5)
    assert abs(shown.shown()[0] - np.count_nonzero(above)) <= 2  # rounding of the threshold
    assert shown.page.inner_text("#energy-text").endswith(" MeV")
    shown.slide("energy", 0)
    shown.slide("score", 0.9)
    assert shown.shown() == [np.count_nonzero(score >= np.float32(0.9))] * 2
    assert shown.page.inner_text("#score-text") == "≥ 0.90"
    shown.slide("score", 0)
    shown.page.check("#wrong")
    wrong = event.label != probability[:VOXELS].argmax(axis=1)
    assert shown.shown() == [np.count_nonzero(wrong)] * 2
    assert shown.counts("both") == [0] * 5


def test_classes_are_switched_off(shown: Shown, events: VoxelEvents, probability: Any) -> None:
    assert events.label is not None
    kept = [
        VOXELS - np.count_nonzero(classes[:VOXELS] == 2) for classes in (events.label, probability.argmax(1))
    ]
    before = shown.coloured(0)
    shown.page.uncheck('[data-class="2"]')
    assert shown.shown() == kept
    assert shown.coloured(0) < before / 2
    shown.page.check('[data-class="2"]')
    assert shown.shown() == [VOXELS] * 2


def test_hover_tells_of_the_voxel(shown: Shown, events: VoxelEvents, probability: Any) -> None:
    event = events.chosen(0, 1)
    assert event.label is not None
    for other in (0, 1, 2, 3):
        shown.page.uncheck(f'[data-class="{other}"]')
    voxel = int(np.flatnonzero(event.label == 4)[np.argmax(event.position[event.label == 4][:, 0])])
    shown.page.evaluate(
        "k => { const { camera, panels } = voxels.page; camera.zoom = 30;"
        " camera.target = [...panels[0].data.centre.subarray(3 * k, 3 * k + 3)]; camera.changed(); }",
        voxel,
    )
    box = shown.page.locator(".stage").first.bounding_box()
    assert box is not None
    shown.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shown.settle()
    picked = shown.page.evaluate("voxels.page.panels[0].marked")
    x, y, z = event.position[picked]
    guess = int(probability[picked].argmax())
    names = [style.name for style in CLASSES.values()]
    assert shown.page.locator(".tip").first.inner_text().splitlines() == [
        "e-, kinetic energy 41 MeV",
        "created by: decay, from mu-",
        "truth: Michel",
        f"predicted: {names[guess]}, score {probability[picked].max():.3f}",
        f"energy: {float(f'{event.energy_mev[picked]:.3g}'):g} MeV",
        f"x {(x + 0.5) * 0.3:.2f}, y {(y + 0.5) * 0.3:.2f}, z {(z + 0.5) * 0.3:.2f} cm",
        f"voxel {x}, {y}, {z} px",
    ]
    shift = np.abs(event.position[picked] - event.position[voxel]).max()
    assert shift <= 15  # nothing nearer to the reader hides the voxel but its own neighbours
    assert shown.page.locator(".ring").first.is_visible()
    shown.page.mouse.move(5, 5)
    assert shown.page.locator(".tip").first.is_hidden()


def test_the_views_turn_together_by_mouse_and_keys(shown: Shown) -> None:
    before = [shown.image(k) for k in (0, 1)]
    box = shown.page.locator(".stage").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    shown.page.mouse.move(x + 80, y + 10, steps=3)
    shown.page.mouse.up()
    after = [shown.image(k) for k in (0, 1)]
    for k in (0, 1):
        assert np.abs(after[k] - before[k]).max() > 0.2
    yaw = shown.page.evaluate("voxels.page.camera.yaw")
    shown.page.locator(".stage").nth(1).focus()
    shown.page.keyboard.press("ArrowLeft")
    assert shown.page.evaluate("voxels.page.camera.yaw") != yaw
    shown.page.keyboard.press("0")
    assert shown.page.evaluate("voxels.page.camera.yaw") == pytest.approx(-1.05)


def test_projections_show_two_axes(shown: Shown, events: VoxelEvents) -> None:
    position = events.position[[0, 5000, 15000]]
    for view, across, upward in (("xy", 0, 1), ("xz", 0, 2), ("zy", 2, 1)):
        shown.page.click(f'[data-view="{view}"]')
        shown.settle()
        assert shown.page.locator('[aria-pressed="true"]').get_attribute("data-view") == view
        places = shown.page.evaluate(
            "[0, 5000, 15000].map((k) => { const p = voxels.page.panels[0].place(k); return [p.x, p.y]; })"
        )
        scale = shown.page.evaluate("voxels.page.camera.scale(...voxels.page.panels[0].size())")
        moved = np.diff(np.array(places), axis=0) / scale
        np.testing.assert_allclose(moved[:, 0], np.diff(position[:, across]), atol=0.01)
        np.testing.assert_allclose(-moved[:, 1], np.diff(position[:, upward]), atol=0.01)


def test_energy_has_a_scale_with_units(shown: Shown) -> None:
    shown.page.locator(".panel select").nth(1).select_option("energy")
    assert "MeV" in shown.page.locator(".key").nth(1).inner_text()
    assert shown.coloured(1) > 2000
    options = shown.page.locator(".panel select").first.locator("option").all_inner_texts()
    assert options == ["truth", "prediction", "energy", "score", "right or wrong"]


def test_both_painters_are_fast_and_paint_the_same(browser: "Browser", path: Path) -> None:
    images = []
    for canvas in (False, True):
        shown = Shown(browser, path, canvas=canvas)
        kinds = shown.page.evaluate("voxels.page.panels.map((panel) => panel.painter.kind)")
        assert kinds == ["canvas" if canvas else "webgl"] * 2
        assert shown.page.locator("#no-webgl").is_visible() == canvas
        assert shown.page.evaluate(STEP) < STEP_MS
        assert shown.complaints == []
        shown.page.evaluate("document.getElementById('no-webgl').hidden = true")
        shown.slide("energy", 0)
        images.append(shown.image(0))
        assert shown.coloured(0) > 2000
        shown.context.close()
    assert np.mean(np.abs(images[0] - images[1]).max(axis=-1) > 0.15) < 0.02


def test_a_lost_context_is_painted_on_a_plain_canvas(shown: Shown) -> None:
    lose = "voxels.page.panels[0].painter.gl.getExtension('WEBGL_lose_context').loseContext()"
    before = shown.image(0)
    shown.page.evaluate(lose)
    shown.page.wait_for_selector("#no-webgl:not([hidden])")
    shown.page.evaluate("document.getElementById('no-webgl').hidden = true")
    assert shown.page.evaluate("voxels.page.panels[0].painter.kind") == "canvas"
    assert np.mean(np.abs(shown.image(0) - before).max(axis=-1) > 0.15) < 0.02


def test_fits_a_phone_by_night(browser: "Browser", path: Path) -> None:
    shown = Shown(browser, path, width=390, dark=True)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = (
        "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 390.5).length"
    )
    assert shown.page.evaluate(wide) == 0
    assert shown.coloured(0) > 500
    assert shown.image(0).mean() < 0.4
    assert shown.complaints == []


def test_an_event_without_voxels_or_truth(browser: "Browser", tmp_path: Path) -> None:
    empty = VoxelEvents(
        (64, 64, 64), 3.0, offsets_of([0]), np.zeros((0, 3), np.int32), np.zeros(0, np.float32)
    )
    write_voxels_display(tmp_path / "e.html", empty)
    shown = Shown(browser, tmp_path / "e.html")
    assert shown.shown() == [0]
    assert shown.complaints == []
