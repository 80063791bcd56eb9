"use strict";
// Binds the controls of the page to its views.
(function () {
  const find = (name) => document.getElementById(name);
  const page = JSON.parse(find("voxels-data").textContent);
  const camera = new voxels.Camera();
  const classesOn = page.classes.map(() => true);
  const state = { by: [], data: null };

  let dress = null;
  const look = () => (dress ??= voxels.look(Number(find("size").value)));
  const panels = [...document.querySelectorAll(".panel")].map((element) => new voxels.Panel(element, camera, {
    look,
    marked: (voxel) => panels.forEach((panel) => panel.mark(voxel)),
    fellBack: () => { find("no-webgl").hidden = false; },
  }));

  function wanted() {
    const energy = voxels.energyAt(state.data, Number(find("energy").value));
    find("energy-text").textContent = energy > 0 ? `≥ ${voxels.number(energy)} MeV` : "all";
    const score = find("score") ? Number(find("score").value) : 0;
    if (find("score")) find("score-text").textContent = score > 0 ? `≥ ${score.toFixed(2)}` : "all";
    return { energy, score, wrongOnly: Boolean(find("wrong") && find("wrong").checked) };
  }

  function update() {
    const { data } = state;
    const kept = voxels.passing(data, wanted());
    panels.forEach((panel, k) => {
      const [colours, shown] = voxels.paint(data, state.by[k], kept, classesOn);
      panel.paint(colours, shown);
      panel.element.querySelector(".shown").textContent =
        `${shown.toLocaleString("en")} of ${data.count.toLocaleString("en")} ${voxels.nameOf(page)}s shown`;
    });
    voxels.counts(data, kept).forEach((count, k) => {
      for (const [name, value] of Object.entries(count)) {
        const cell = document.querySelector(`[data-count="${name}-${k}"]`);
        if (cell) cell.textContent = value.toLocaleString("en");
      }
    });
  }

  function recolour(k) {
    state.by[k] = panels[k].element.querySelector("select").value;
    voxels.drawKey(panels[k].element.querySelector(".key"), state.data, state.by[k]);
  }

  function swatches() {
    voxels.classColours(page).forEach((colour, k) => {
      const swatch = document.querySelector(`[data-swatch="${k}"]`);
      if (swatch) swatch.style.background = colour;
    });
  }

  function box() { return find("whole").checked ? state.data.image : state.data.extent; }

  function choose(number) {
    const event = page.events[number];
    state.data = voxels.load(event, page);
    find("facts").textContent = event.facts;
    panels.forEach((panel, k) => {
      panel.show(state.data);
      panel.quiet();
      recolour(k);
    });
    camera.setBox(box());
    update();
  }

  function build() {
    panels.forEach((panel, k) => {
      const select = panel.element.querySelector("select");
      const choices = voxels.choices(page.events[0]);
      select.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
      select.value = choices[Math.min(k, choices.length - 1)][0];
      select.addEventListener("change", () => { recolour(k); update(); });
    });
    page.events.forEach((event, k) => find("event").append(new Option(event.name, k)));
    find("event").addEventListener("change", () => choose(Number(find("event").value)));
    for (const name of ["energy", "score", "wrong"]) if (find(name)) find(name).addEventListener("input", update);
    find("size").addEventListener("input", () => {
      dress = null;
      panels.forEach((panel) => panel.refresh());
    });
    find("whole").addEventListener("input", () => camera.setBox(box()));
    for (const button of document.querySelectorAll("[data-view]")) {
      button.addEventListener("click", () => camera.look(button.dataset.view));
    }
    camera.listeners.push(() => {
      for (const button of document.querySelectorAll("[data-view]")) {
        button.setAttribute("aria-pressed", button.dataset.view === camera.view);
      }
    });
    for (const input of document.querySelectorAll("[data-class]")) {
      input.addEventListener("input", () => {
        classesOn[Number(input.dataset.class)] = input.checked;
        update();
      });
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      dress = null;
      swatches();
      panels.forEach((_, k) => recolour(k));
      update();
    });
    find("no-webgl").hidden = panels.every((panel) => panel.painter.kind === "webgl");
    swatches();
    choose(0);
    requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.ready = "1"; }));
  }

  Object.assign(voxels, { page: { panels, camera, state, update } });
  build();
})();
