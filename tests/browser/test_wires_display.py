"""The page of wire planes in a real browser: pixels, hover, layers, zoom, keys, speed, no network."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cloudchamber.labels import VertexFlag
from cloudchamber.show.wires_display import write_wires_display
from cloudchamber.source.wire_predictions import WirePredictions, probability_codes
from cloudchamber.wire_events import HIT, WIRE_PARTICLE, WireEvents, WireReadout
from tests.browser.test_voxels_display import CHROMIUM, OPTIONS, Shown

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

FRAME_MS = 400  # to draw a plane of 960 wires x 6000 ticks at 1280 x 900; about 5 on an idle machine
WIRES, DRIFTS = 960, 6000
ZOOM = """async () => {
  const { view, panels } = wires.shown, times = [];
  for (let k = 0; k < 15; k++) {
    view.zoom(1.3, 0.3, 0.4);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    times.push(panels[0].lastMs);
  }
  view.whole();
  return times.sort((a, b) => a - b)[7];
}"""


def _plane() -> tuple[WireEvents, WirePredictions]:
    rng = np.random.default_rng(6)
    code = rng.normal(0, 3.8, (1, WIRES, DRIFTS))
    beam = np.zeros(code.shape, np.uint8)
    particle = np.full(code.shape, -1, np.int32)
    for number, (w0, d0, w1, d1) in enumerate(
        ((0, 500, 900, 5500), (100, 5800, 950, 100), (300, 200, 420, 5900))
    ):
        along = np.linspace(0, 1, 20_000)
        wire, drift = (w0 + (w1 - w0) * along).astype(int), (d0 + (d1 - d0) * along).astype(int)
        for off in range(-6, 7):
            code[0, wire, drift + off] = 80 * np.exp(-off * off / 16)
            beam[0, wire, drift + off] = 2 if number == 0 else 1
            particle[0, wire, drift + off] = number
    vertex = np.zeros(code.shape, np.uint8)
    vertex[0, 900, 5500] = VertexFlag.DECAY
    rows = np.zeros(3, WIRE_PARTICLE)
    rows["pdg"], rows["kinetic_mev"], rows["process"], rows["origin"], rows["track_id"] = (
        13,
        7000,
        1,
        [3, 1, 1],
        [1, 2, 3],
    )
    hits = np.zeros(50, HIT)
    hits["wire"], hits["peak_tick"], hits["rms_ticks"] = np.arange(50), 3000, 5
    event = WireEvents(
        WireReadout(), np.rint(code).astype(np.int16), beam=beam, vertex=vertex, particle=particle,
        particle_offsets=np.array([0, 3]), particles=rows, hit_offsets=np.array([0, 50]), hits=hits,
    )  # fmt: skip
    label = beam.copy()
    label[0, :100] = np.minimum(label[0, :100], 1)
    return event, WirePredictions("beam", label, probability_codes(np.full(label.shape, 0.9)))


@pytest.fixture(scope="module")
def plane() -> tuple[WireEvents, WirePredictions]:
    return _plane()


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
def path(plane: tuple[WireEvents, WirePredictions], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wires") / "wires.html"
    write_wires_display(path, plane[0], predicted=plane[1], facts={"model": "toy"})
    assert path.stat().st_size < 8_000_000  # of 5.76 million pixels with noise
    return path


@pytest.fixture
def shown(browser: "Browser", path: Path) -> Iterator[Shown]:
    shown = Shown(browser, path)
    yield shown
    assert shown.complaints == []
    assert shown.requests == [shown.url]
    shown.context.close()


def lines(shown: Shown, wire: int, drift: int) -> list[str]:
    """Return what is told at the middle of the view, moved to a pixel."""
    shown.page.evaluate(
        "([wire, drift]) => wires.shown.view.set(wire - 4, wire + 5, drift - 6, drift + 7)", [wire, drift]
    )
    shown.settle()
    at: Any = shown.page.evaluate(
        """([wire, drift]) => { const p = wires.shown.panels[0], v = p.view, q = p.plot();
        return [q.left + (wire + 0.5 - v.x0) / (v.x1 - v.x0) * q.width,
                q.top + (v.y1 - drift - 0.5) / (v.y1 - v.y0) * q.height]; }""",
        [wire, drift],
    )
    box = shown.page.locator(".stage").first.bounding_box()
    assert box is not None
    shown.page.mouse.move(box["x"] + at[0], box["y"] + at[1])
    shown.settle()
    return shown.page.locator(".tip").first.inner_text().splitlines()


def test_all_values_arrive(shown: Shown, plane: tuple[WireEvents, WirePredictions]) -> None:
    event, predicted = plane
    found = shown.page.evaluate(
        """() => { const { signal, layers, particle } = wires.shown.data;
        const maps = [signal, ...layers.map((layer) => layer.map), particle];
        return maps.map(({ values }) => values.reduce((a, b) => a + b, 0)); }"""
    )
    assert event.beam is not None
    assert event.particle is not None
    wrong = 2 * int((event.beam != predicted.label).sum())
    right = int(((event.beam == predicted.label) & (event.beam > 0)).sum())
    assert found == [
        int(event.code.sum()), int(event.beam.sum()), int(predicted.label.sum()) + WIRES * DRIFTS,
        right + wrong,
        int(event.particle.sum()) + WIRES * DRIFTS,
    ]  # fmt: skip


def test_copies_hold_the_strongest(shown: Shown, plane: tuple[WireEvents, WirePredictions]) -> None:
    code = plane[0].code[0]
    found = shown.page.evaluate(
        "() => { const c = wires.shown.data.signal.copy(3, 2); return [c.width, c.height, [...c.values]]; }"
    )
    wanted = code.reshape(WIRES // 8, 8, DRIFTS // 4, 4).max(axis=(1, 3)).T
    assert found[:2] == [WIRES // 8, DRIFTS // 4]
    np.testing.assert_array_equal(np.array(found[2]).reshape(wanted.shape), wanted)


def test_hover_tells_of_the_pixel(shown: Shown, plane: tuple[WireEvents, WirePredictions]) -> None:
    event, beam = plane[0], plane[0].beam
    assert beam is not None
    for wire, drift, more in (
        (
            900 - 1,
            int(np.argmax(beam[0, 899] == 2)) + 6,
            [
                "truth: beam: beam", "prediction: beam, probability 0.90",
                "mu-, kinetic energy 7000 MeV, primary, from beam, number 1",
            ],
        ),
        (10, 30, ["truth: beam: background", "prediction: background, probability 0.90"]),
    ):  # fmt: skip
        assert lines(shown, wire, drift) == [
            f"wire {wire}, tick {drift}",
            f"time {(drift + 0.5) * 0.5 + 1e-9:,.1f} µs",
            f"drift {(drift + 0.5) * 0.8 + 1e-9:,.1f} mm (from tick 0)",
            f"signal {event.code[0, wire, drift]} ADC per tick",
            *more,
        ]
    assert "vertex: decay" in lines(shown, 900, 5500)
    shown.page.mouse.move(2, 2)
    assert shown.page.locator(".tip").first.is_hidden()


def test_layers_by_button_and_key(shown: Shown) -> None:
    buttons = shown.page.locator("#layers button")
    assert [text[1:] for text in buttons.all_inner_texts()] == [
        "signal", "truth: beam", "prediction", "right or wrong", "particles"
    ]  # fmt: skip
    images = [shown.image(0)]
    for key, words in (("2", "beam"), ("4", "wrong"), ("5", "3 particles")):
        shown.page.locator(".stage").first.focus()
        shown.page.keyboard.press(key)
        assert words in shown.page.locator(".key").first.inner_text()
        assert shown.page.locator('[aria-pressed="true"]').inner_text().startswith(key)
        images.append(shown.image(0))
        assert shown.coloured(0) > 500
    for k in range(3):
        assert np.abs(images[k + 1] - images[k]).max() > 0.2
    buttons.first.click()
    assert "ADC per tick" in shown.page.locator(".key").first.inner_text()


def test_zoom_and_pan(shown: Shown) -> None:
    window = "(() => { const { x0, x1, y0, y1 } = wires.shown.view; return [x0, x1, y0, y1]; })()"
    assert shown.page.evaluate(window) == [0, WIRES, 0, DRIFTS]
    stage = shown.page.locator(".stage").first
    box = stage.bounding_box()
    assert box is not None
    plot = shown.page.evaluate("wires.shown.panels[0].plot()")
    x, y = box["x"] + plot["left"] + plot["width"] / 4, box["y"] + plot["top"] + plot["height"] / 4
    shown.page.mouse.move(x, y)
    shown.page.mouse.wheel(0, -1000)
    shown.settle()
    x0, x1, y0, y1 = shown.page.evaluate(window)
    factor = np.exp(1.5)
    assert (x1 - x0, y1 - y0) == pytest.approx((WIRES / factor, DRIFTS / factor))
    assert x0 + (x1 - x0) / 4 == pytest.approx(WIRES / 4, abs=1)  # what lies under the pointer stays there
    assert y0 + (y1 - y0) * 3 / 4 == pytest.approx(DRIFTS * 3 / 4, abs=5)
    shown.page.mouse.down()
    shown.page.mouse.move(x - plot["width"] / 10, y, steps=3)
    shown.page.mouse.up()
    assert shown.page.evaluate(window)[0] == pytest.approx(x0 + (x1 - x0) / 10, abs=1)
    stage.focus()
    shown.page.keyboard.press("ArrowUp")
    assert shown.page.evaluate(window)[2] == pytest.approx(y0 + (y1 - y0) / 10, abs=1)
    shown.page.keyboard.press("Enter")
    assert shown.page.locator(".tip").first.inner_text().startswith("wire ")
    shown.page.keyboard.press("0")
    assert shown.page.evaluate(window) == [0, WIRES, 0, DRIFTS]
    shown.page.keyboard.down("Shift")
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    shown.page.mouse.move(x + plot["width"] / 2, y + plot["height"] / 2, steps=3)
    shown.page.mouse.up()
    shown.page.keyboard.up("Shift")
    assert shown.page.evaluate(window) == pytest.approx(
        [WIRES / 4, WIRES * 3 / 4, DRIFTS / 4, DRIFTS * 3 / 4], rel=0.02
    )


def test_true_proportions(shown: Shown) -> None:
    per_mm = """(() => { const { view, panels } = wires.shown, q = panels[0].plot();
      return [q.width / ((view.x1 - view.x0) * 4.79), q.height / ((view.y1 - view.y0) * 0.8)]; })()"""
    shown.page.check("#true-scale")
    for height in (900, 600):
        shown.page.set_viewport_size({"width": 1280, "height": height})
        shown.settle()
        across, along = shown.page.evaluate(per_mm)
        assert across == pytest.approx(along)
        x0, y0 = shown.page.evaluate("[wires.shown.view.x0, wires.shown.view.y0]")
        assert min(abs(x0), abs(y0)) < 1e-6 * WIRES  # the whole plane, as large as it fits
    shown.page.uncheck("#true-scale")
    assert shown.page.evaluate("wires.shown.view.x1") == WIRES


def test_drawing_is_fast(shown: Shown) -> None:
    assert shown.page.evaluate(ZOOM) < FRAME_MS


def test_scales_and_marks(shown: Shown) -> None:
    before = shown.image(0)
    shown.page.uncheck("#vertices")
    assert "decay" not in shown.page.locator(".key").first.inner_text()
    assert np.abs(shown.image(0) - before).max() > 0.2
    before = shown.image(0)
    shown.page.check("#hits")
    assert np.abs(shown.image(0) - before).max() > 0.2
    shown.page.select_option("#scale", "log")
    shown.slide("low", 0)
    assert shown.page.inner_text("#low-text") == "0 ADC per tick"
    assert "≤ 0.0" in shown.page.locator(".key").first.inner_text()


def test_two_views_on_a_phone_by_night(browser: "Browser", path: Path) -> None:
    shown = Shown(browser, path, width=390, dark=True)
    shown.page.check("#two")
    assert shown.page.locator(".panel select").nth(1).input_value() == "predicted"
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert min(shown.coloured(0), shown.coloured(1)) > 200
    assert shown.image(0).mean() < 0.4
    assert shown.complaints == []


def test_an_empty_plane_of_unknown_size(browser: "Browser", tmp_path: Path) -> None:
    readout = WireReadout(pitch_mm=np.nan, tick_us=np.nan, unit="unknown")
    write_wires_display(tmp_path / "e.html", WireEvents(readout, np.zeros((1, 3, 2), np.float32)))
    shown = Shown(browser, tmp_path / "e.html")
    assert lines(shown, 1, 1) == ["wire 1, tick 1", "signal 0 (unit not in the file)"]
    assert shown.page.locator("#two").is_hidden()
    assert shown.complaints == []
