"use strict";
// What the page shows: maps of pixels, row by row along the wires, and smaller copies of them for far views.
const wires = {};

(function () {
  // Bytes come with all lowest ones first, then the next ones.
  async function decode(part) {
    const stream = new Blob([tools.bytes(part.base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
    const packed = new Uint8Array(await new Response(stream).arrayBuffer());
    const size = tools.types[part.type].BYTES_PER_ELEMENT;
    if (size === 1) return new tools.types[part.type](packed.buffer);
    const bytes = new Uint8Array(packed.length);
    for (let plane = 0, from = 0; plane < size; plane++) {
      for (let at = plane; at < bytes.length; at += size) bytes[at] = packed[from++];
    }
    return new tools.types[part.type](bytes.buffer);
  }

  // A map and its copies: one pixel of copy (i, j) is the largest of 2^i wires times 2^j drift bins.
  class Pyramid {
    constructor(values, width, height) { this.copies = { "0,0": { values, width, height } }; }

    get values() { return this.copies["0,0"].values; }

    copy(i, j) {
      const name = `${i},${j}`;
      return this.copies[name] ??= j > 0 ? halfHeight(this.copy(i, j - 1)) : halfWidth(this.copy(i - 1, j));
    }
  }

  function halfWidth({ values, width, height }) {
    const half = Math.ceil(width / 2);
    const found = new values.constructor(half * height);
    for (let y = 0, at = 0; y < height; y++) {
      const end = (y + 1) * width;
      for (let from = y * width; from < end; from += 2) {
        const [a, b] = [values[from], from + 1 < end ? values[from + 1] : values[from]];
        found[at++] = a > b ? a : b;
      }
    }
    return { values: found, width: half, height };
  }

  function halfHeight({ values, width, height }) {
    const half = Math.ceil(height / 2);
    const found = new values.constructor(width * half);
    for (let y = 0, at = 0; y < half; y++) {
      const first = 2 * y * width;
      const second = 2 * y + 1 < height ? first + width : first;
      for (let x = 0; x < width; x++) {
        const [a, b] = [values[first + x], values[second + x]];
        found[at++] = a > b ? a : b;
      }
    }
    return { values: found, width, height: half };
  }

  async function load(page) {
    const { wires: width, drifts: height } = page;
    const pyramid = async (part) => new Pyramid(await decode(part), width, height);
    const data = { page, width, height, layers: [] };
    data.signal = await pyramid(page.signal);
    for (const layer of page.layers) data.layers.push({ ...layer, map: await pyramid(layer.values) });
    if (page.particle) data.particle = await pyramid(page.particle);
    if (page.probability) data.probability = await decode(page.probability);
    for (const name of ["vertices", "hits"]) {
      if (!page[name]) continue;
      data[name] = {};
      for (const [key, part] of Object.entries(page[name])) data[name][key] = await decode(part);
    }
    return data;
  }

  const layerOf = (data, key) => data.layers.find((layer) => layer.key === key);

  // What can be shown, in the order of the buttons.
  function choices(data) {
    const found = [["signal", "signal"], ...data.layers.map((layer) => [layer.key, layer.name])];
    if (data.particle) found.push(["particle", "particles"]);
    return found;
  }

  const text = (value, digits) => value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });

  // The lines that are shown of a pixel.
  function lines(data, wire, drift) {
    const { page } = data;
    const at = drift * data.width + wire;
    const signal = (data.signal.values[at] - page.zero) * page.step;
    const first = drift * page.rebin;
    const span = page.rebin > 1 ? `ticks ${first} to ${first + page.rebin - 1}` : `tick ${first}`;
    const found = [`wire ${wire}, ${span}`];
    if (page.tickUs) {
      const us = (first + page.rebin / 2) * page.tickUs;
      found.push(`time ${text(us, 1)} µs`);
      if (page.driftMmUs) found.push(`drift ${text(us * page.driftMmUs, 1)} mm (from tick 0)`);
    }
    const per = page.unit ? ` ${page.unit} per tick` : " (unit not in the file)";
    found.push(`signal ${tools.number(signal, 4)}${per}`);
    const named = (layer) => layer.classes[layer.map.values[at]].name;
    for (const layer of data.layers) {
      if (layer.key === "verdict") continue;
      const sure = layer.key === "predicted" && data.probability && layer.map.values[at] > 0
        ? `, probability ${(data.probability[at] / 255).toFixed(2)}` : "";
      found.push(`${layer.name}: ${named(layer)}${sure}`);
    }
    if (page.vertices) {
      for (let k = 0; k < data.vertices.wire.length; k++) {
        if (data.vertices.wire[k] !== wire || data.vertices.drift[k] !== drift) continue;
        const kinds = page.vertexKinds.filter(({ flag }) => data.vertices.flags[k] & flag);
        found.push(`vertex: ${kinds.map(({ name }) => name).join(", ")}`);
      }
    }
    if (data.particle) {
      const row = data.particle.values[at];
      if (row > 0) found.push(page.particles[row - 1]);
    }
    return found;
  }

  Object.assign(wires, { load, layerOf, choices, lines, Pyramid, decode });
})();
