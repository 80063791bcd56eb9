"use strict";
// Binds the controls of the page to its views.
(async function () {
  const find = (name) => document.getElementById(name);
  const page = JSON.parse(find("wires-data").textContent);
  const data = await wires.load(page);
  const view = new wires.Window(data.width, data.height);
  const state = { low: page.low, top: page.high, scale: "root", vertices: Boolean(page.vertices), hits: false, marked: null };
  const choices = wires.choices(data);
  let tables = {}, colours = null;

  const made = (name, make) => (tables[name] ??= make());
  const signal = (grey) => made(`signal-${grey}`, () => wires.signalTable(data, state, grey));

  const hooks = {
    state,
    // The map over the signal, its colours, and those of the signal.
    tables(by) {
      if (by === "signal") return [null, null, signal(false)];
      const layer = wires.layerOf(data, by);
      if (layer) return [layer.map, made(by, () => wires.classTable(layer)), signal(true)];
      return [data.particle, made(by, () => wires.particleTable(page.particles.length)), signal(true)];
    },
    colours: () => (colours ??= {
      ink: tools.styled("--ink"), muted: tools.styled("--muted"), card: tools.styled("--card"),
    }),
    marked(pixel) {
      const [old, now] = [state.marked, pixel];
      if (old === now || (old && now && old.wire === now.wire && old.drift === now.drift)) return;
      state.marked = pixel;
      panels.forEach((panel) => panel.refresh());
    },
    resized: () => proportions(view.isWhole),
    freed: () => {
      find("true-scale").checked = false;
      view.most = [data.width, data.height];
    },
    key(key, panel) {
      if (/^[1-9]$/.test(key) && choices[Number(key) - 1]) show(panel, choices[Number(key) - 1][0]);
      else if (key.toLowerCase() === "v" && page.vertices) find("vertices").click();
      else return false;
      return true;
    },
  };
  const panels = [...document.querySelectorAll(".panel")].map((element) => new wires.Panel(element, data, view, hooks));

  function show(panel, by) {
    panel.by = by;
    panel.element.querySelector("select").value = by;
    wires.drawKey(panel.element.querySelector(".key"), data, by, state);
    if (panel === panels[0]) {
      for (const button of find("layers").children) button.setAttribute("aria-pressed", button.dataset.by === by);
    }
    panel.refresh();
  }

  function repaint() {
    tables = {};
    colours = null;
    panels.forEach((panel) => show(panel, panel.by));
    for (const swatch of document.querySelectorAll("[data-swatch]")) {
      const layer = wires.layerOf(data, swatch.dataset.layer);
      const number = Number(swatch.dataset.swatch);
      swatch.style.background = layer && number >= layer.hidden ? wires.colourOf(layer.classes[number]) : "none";
    }
  }

  // The slider runs over the logarithm, from the noise to the largest signal.
  const least = Math.max(page.low / 2, page.high / 200, page.step);
  const most = Math.max(data.signal.values.reduce((a, b) => Math.max(a, b), -Infinity) * page.step - page.zero * page.step, 2 * least);

  function setTop() {
    const unit = page.unit ? `${page.unit} per tick` : "(unit not in the file)";
    state.top = least * (most / least) ** Number(find("high").value);
    state.low = state.top * Number(find("low").value);
    state.scale = find("scale").value;
    find("high-text").textContent = `${tools.number(state.top)} ${unit}`;
    find("low-text").textContent = `${tools.number(state.low)} ${unit}`;
    repaint();
  }

  // Where it is wanted: a millimetre across the wires as long as one along the drift.
  function proportions(whole) {
    if (!find("true-scale").checked) return;
    const plot = panels[0].plot();
    const tall = page.pitchMm / (page.rebin * page.tickUs * page.driftMmUs) * plot.height / plot.width; // drift bins a wire
    view.most = [Math.max(data.width, data.height / tall), Math.max(data.height, data.width * tall)];
    const [spanX, spanY] = [view.x1 - view.x0, (view.x1 - view.x0) * tall];
    const [cx, cy] = [(view.x0 + view.x1) / 2, (view.y0 + view.y1) / 2];
    if (whole) view.whole();
    else view.set(cx - spanX / 2, cx + spanX / 2, cy - spanY / 2, cy + spanY / 2);
  }

  function two() {
    panels[1].element.hidden = !find("two").checked;
    document.querySelector(".panels").classList.toggle("two", find("two").checked);
    panels.forEach((panel) => panel.refresh());
  }

  choices.forEach(([by, name], k) => {
    const button = find("layers").appendChild(document.createElement("button"));
    Object.assign(button, { type: "button" }).dataset.by = by;
    button.append(Object.assign(document.createElement("small"), { textContent: k + 1 }), name);
    button.addEventListener("click", () => show(panels[0], by));
  });
  panels.forEach((panel, k) => {
    const select = panel.element.querySelector("select");
    select.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
    panel.by = choices[0][0];
    select.addEventListener("change", () => show(panel, select.value));
  });
  if (choices.length > 1) panels[1].by = wires.layerOf(data, "predicted") ? "predicted" : choices[1][0];
  find("two").closest("label").hidden = find("layers").hidden = choices.length < 2;
  find("true-scale").closest("label").hidden = !(page.pitchMm && page.tickUs && page.driftMmUs);
  find("two").addEventListener("input", two);
  find("true-scale").addEventListener("input", () => {
    if (find("true-scale").checked) proportions(view.isWhole);
    else {
      hooks.freed();
      view.whole();
    }
  });
  for (const name of ["vertices", "hits"]) {
    find(name).addEventListener("input", () => {
      state[name] = find(name).checked;
      panels.forEach((panel) => show(panel, panel.by));
    });
  }
  find("reset").addEventListener("click", () => view.whole());
  find("high").value = Math.log(state.top / least) / Math.log(most / least);
  find("low").value = state.low / state.top;
  for (const name of ["low", "high", "scale"]) find(name).addEventListener("input", setTop);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  setTop();
  find("loading").hidden = true;
  Object.assign(wires, { shown: { panels, view, state, data, show } });
  requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.ready = "1"; }));
})();
