"use strict";
// Colours of pixels: a table from value to colour, and a loop that looks every pixel of the screen up in it.
(function () {
  const packed = ([r, g, b]) => (255 << 24 | b << 16 | g << 8 | r) >>> 0;
  const mixed = (a, b, share) => a.map((part, k) => Math.round(part * (1 - share) + b[k] * share));
  const FADE = 0.15; // of the ramp's colours, the first come out of the page's own
  const BEHIND = 0.55; // how strong the signal behind classes is at most

  const high = (page) => (tools.dark() ? page.ramp : [...page.ramp].reverse());
  const colourOf = (style) => (tools.dark() ? style.dark : style.light);

  // The ramp of 256 colours that begins with the page's.
  function ramp(page) {
    const [table, back] = [high(page), tools.rgb(tools.styled("--card"))];
    return Array.from({ length: 256 }, (_, k) => {
      const share = k / 255;
      const colour = table[Math.min(table.length - 1, Math.floor(share * table.length))];
      return share < FADE ? mixed(back, colour, share / FADE) : colour;
    });
  }

  // Where on the ramp a signal lies, 0 to 1.
  function place(signal, { low, top, scale }) {
    if (!(signal > low)) return 0;
    if (scale === "log") return Math.min(1, Math.max(0, Math.log(signal / lowest(low, top)) / Math.log(top / lowest(low, top))));
    const share = Math.min(1, (signal - low) / (top - low));
    return scale === "root" ? Math.sqrt(share) : share;
  }

  // Where a logarithmic scale begins.
  const lowest = (low, top) => Math.max(low, top / 1000);

  // Colours of all codes of the signal; ``grey`` for what stands behind classes.
  function signalTable(data, scale, grey = false) {
    const { zero, step } = data.page;
    const colours = ramp(data.page).map(packed);
    const [back, ink] = [tools.rgb(tools.styled("--card")), tools.rgb(tools.styled("--muted"))];
    const greys = colours.map((_, k) => packed(mixed(back, ink, BEHIND * k / 255)));
    const table = new Uint32Array(65536);
    for (let code = -32768; code < 32768; code++) {
      const share = place((code - zero) * step, scale);
      table[code & 0xffff] = (grey ? greys : colours)[Math.round(255 * share)];
    }
    return table;
  }

  // Colours of classes; 0 lets the signal through.
  function classTable(layer) {
    const table = new Uint32Array(256);
    layer.classes.forEach((style, k) => { if (k >= layer.hidden) table[k] = packed(tools.rgb(colourOf(style))); });
    return table;
  }

  // Colours of particles by their number: hues far apart for neighbours.
  function particleTable(count) {
    const table = new Uint32Array(65536);
    const [light, strong] = tools.dark() ? [0.65, 0.75] : [0.42, 0.8];
    for (let k = 1; k <= Math.min(count, 65535); k++) {
      const hue = (k * 0.61803398875) % 1 * 12;
      const part = (shift) => { // of red, green, blue, from hue, saturation and lightness
        const at = (shift + hue) % 12;
        return Math.round(255 * (light - strong * Math.min(light, 1 - light) * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
      };
      table[k] = packed([part(0), part(8), part(4)]);
    }
    return table;
  }

  // Paint a window (in pixels of the plane) onto an image of the screen.
  function paint(image, data, map, over, back, view) {
    const { width, height } = image;
    const pixels = new Uint32Array(image.data.buffer);
    const [perX, perY] = [(view.x1 - view.x0) / width, (view.y1 - view.y0) / height];
    const level = (per, size) => Math.max(0, Math.min(Math.ceil(Math.log2(per) - 0.02), Math.floor(Math.log2(size))));
    const [i, j] = [level(perX, data.width), level(perY, data.height)];
    const signal = data.signal.copy(i, j);
    const upper = map ? map.copy(i, j).values : null;
    const empty = packed(tools.rgb(tools.styled("--page")));
    const columns = new Int32Array(width);
    for (let x = 0; x < width; x++) {
      const wire = Math.floor(view.x0 + (x + 0.5) * perX);
      columns[x] = wire < 0 || wire >= data.width ? -1 : wire >> i;
    }
    const codes = signal.values;
    for (let y = 0, at = 0; y < height; y++) {
      const drift = Math.floor(view.y1 - (y + 0.5) * perY);
      if (drift < 0 || drift >= data.height) {
        pixels.fill(empty, at, at + width);
        at += width;
        continue;
      }
      const row = (drift >> j) * signal.width;
      for (let x = 0; x < width; x++, at++) {
        const column = columns[x];
        if (column < 0) { pixels[at] = empty; continue; }
        const colour = upper ? over[upper[row + column]] : 0;
        pixels[at] = colour || back[codes[row + column] & 0xffff];
      }
    }
  }

  // What stands beneath a view: the scale of the signal, or what its colours mean.
  function drawKey(element, data, by, state) {
    element.replaceChildren();
    const add = (tag, words, css = {}, parent = element) => {
      const part = parent.appendChild(document.createElement(tag));
      part.textContent = words;
      Object.assign(part.style, css);
      return part;
    };
    const word = (words, background, mark = false) => {
      const pair = add("span", "", { whiteSpace: "nowrap" });
      const swatch = add("i", "", mark ? { borderColor: background } : { background }, pair);
      if (mark) swatch.className = "mark";
      add("span", words, {}, pair);
    };
    const layer = wires.layerOf(data, by);
    if (by === "signal") {
      const stops = ramp(data.page).filter((_, k) => k % 15 === 0).map((colour) => `rgb(${colour.join(",")})`);
      const { scale, top } = state;
      const low = scale === "log" ? lowest(state.low, top) : state.low;
      const middle = scale === "log" ? Math.sqrt(low * top) : low + (top - low) * (scale === "root" ? 0.25 : 0.5);
      add("span", `≤ ${tools.number(low)}`);
      add("b", "", { background: `linear-gradient(90deg, ${stops.join(",")})` });
      add("span", `≥ ${tools.number(top)} ${data.page.signalName} (middle of the scale: ${tools.number(middle)})`);
    } else if (layer) {
      layer.classes.forEach((style, k) => { if (k >= layer.hidden) word(style.name, colourOf(style)); });
      add("span", "grey: signal of other pixels");
    } else add("span", `${data.page.particles.length.toLocaleString("en")} particles, neighbours in their list in colours far apart`);
    if (data.vertices && state.vertices) {
      const seen = data.vertices.flags.reduce((all, flags) => all | flags, 0);
      for (const style of data.page.vertexKinds) if (seen & style.flag) word(style.name, colourOf(style), true);
    }
  }

  Object.assign(wires, { signalTable, classTable, particleTable, paint, drawKey, colourOf });
})();
