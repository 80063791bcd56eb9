"use strict";
// What the pages with views of events share: numbers, scales, colours of the page.
const tools = (function () {
  const types = { Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array };

  function bytes(base64) {
    const text = atob(base64);
    const found = new Uint8Array(text.length);
    for (let k = 0; k < text.length; k++) found[k] = text.charCodeAt(k);
    return found;
  }

  const number = (value, digits = 3) => Number(value.toPrecision(digits)).toString();

  function niceStep(length, about) {
    const rough = length / about;
    const power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= rough * 0.999);
  }

  function ticks(low, high, step) {
    const found = [];
    for (let k = Math.ceil(low / step - 1e-6); k * step <= high + 1e-6 * step; k++) found.push(k * step || 0);
    return found;
  }

  const styled = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const rgb = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
  const dark = () => matchMedia("(prefers-color-scheme: dark)").matches;
  const font = (px, weight = 400) => `${weight} ${px}px ${getComputedStyle(document.body).fontFamily}`;

  // Lines of text at a point of a view, kept within it.
  function tell(tip, lines, x, y, width, height) {
    tip.replaceChildren(...lines.map((line) => {
      const row = document.createElement("div");
      row.textContent = line;
      return row;
    }));
    const [w, h] = [tip.offsetWidth, tip.offsetHeight];
    const left = x + 16 + w > width ? x - 16 - w : x + 16;
    tip.style.left = `${Math.max(4, Math.min(left, width - w - 4))}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 12, height - h - 4))}px`;
  }

  return { types, bytes, number, niceStep, ticks, styled, rgb, dark, font, tell };
})();
