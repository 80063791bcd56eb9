"use strict";
// Colours of voxels, their scales, and what the reader's controls are set to.
(function () {
  const { styled, rgb, dark, font } = tools;
  const COLOUR_BY = { truth: "truth", predicted: "prediction", energy: "energy", score: "score", verdict: "right or wrong" };

  const classColours = (page) => page.classes.map(({ light, dark: other }) => (dark() ? other : light));

  // What a view can be coloured by, as far as this event has it.
  function choices(event) {
    const has = { ...event, verdict: event.truth && event.predicted };
    return Object.entries(COLOUR_BY).filter(([name]) => has[name]);
  }

  // High values stand out from the page: dark on a light page, light on a dark one.
  const ramp = (page) => (dark() ? page.ramp : [...page.ramp].reverse());

  function share(data, by, k) {
    if (by === "score") return data.score[k];
    const [low, high] = data.energyRange.map((mev) => Math.log(Math.max(mev, 1e-6)));
    return (Math.log(Math.max(data.energy[k], 1e-6)) - low) / Math.max(high - low, 1e-6);
  }

  // One colour a voxel: alpha 0 hides it. A class switched off hides by prediction where that is shown, else by truth.
  function paint(data, by, kept, classesOn) {
    const colours = new Uint8Array(4 * data.count);
    const table = ramp(data.page);
    const named = classColours(data.page).map(rgb);
    const verdicts = data.page.verdicts.map(rgb);
    const byPrediction = by === "predicted" || by === "score" || !data.truth;
    const classes = byPrediction ? data.predicted : data.truth;
    let shown = 0;
    for (let k = 0; k < data.count; k++) {
      if (!kept[k] || (classes && !classesOn[classes[k]])) continue;
      let colour;
      if (by === "truth" || by === "predicted") colour = named[data[by][k]];
      else if (by === "verdict") colour = verdicts[data.truth[k] === data.predicted[k] ? 0 : 1];
      else colour = table[Math.max(0, Math.min(table.length - 1, Math.floor(share(data, by, k) * table.length)))];
      colours.set(colour, 4 * k);
      colours[4 * k + 3] = 255;
      shown++;
    }
    return [colours, shown];
  }

  // The scale beneath a view that shows a quantity, or what its two colours mean.
  function drawKey(element, data, by) {
    element.replaceChildren();
    const add = (tag, text, css = {}, parent = element) => {
      const part = parent.appendChild(document.createElement(tag));
      part.textContent = text;
      Object.assign(part.style, css);
      return part;
    };
    const word = (text, background) => {
      const pair = add("span", "", { whiteSpace: "nowrap" });
      add("i", "", { background }, pair);
      add("span", text, {}, pair);
    };
    if (by === "verdict") {
      ["right", "wrong"].forEach((text, k) => word(text, data.page.verdicts[k]));
    } else if (by === "energy" || by === "score") {
      const [low, high] = by === "energy" ? data.energyRange : [0, 1];
      const [first, last] = [low, high].map((value) => voxels.number(value, 2));
      const stops = ramp(data.page).map((colour) => `rgb(${colour.join(",")})`);
      add("span", by === "energy" ? `≤ ${first}` : first);
      add("b", "", { background: `linear-gradient(90deg, ${stops.join(",")})` });
      add("span", by === "energy" ? `≥ ${last} MeV in a ${voxels.nameOf(data.page)} (logarithmic)` : `${last} score of the predicted class`);
    } else classColours(data.page).forEach((colour, k) => word(data.page.classes[k].name, colour));
  }

  // The energy slider runs over the logarithm; its left end lets everything through.
  function energyAt(data, position) {
    const [low, high] = data.energyLimits.map((mev) => Math.log(Math.max(mev, 1e-3)));
    return position <= 0 ? -Infinity : Math.exp(low + (high - low) * position);
  }

  function look(sizeFactor) {
    const page = styled("--card");
    return {
      page: rgb(page), ink: styled("--ink"), muted: styled("--muted"), grid: styled("--grid"),
      least: 2.4 * sizeFactor, factor: Math.max(1, sizeFactor),
      font,
    };
  }

  Object.assign(voxels, { choices, classColours, paint, drawKey, energyAt, look });
})();
