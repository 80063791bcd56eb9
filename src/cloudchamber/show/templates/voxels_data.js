"use strict";
// What the page shows: arrays of one event, and which of its voxels pass the thresholds.
const voxels = {};

(function () {
  const { number } = tools;
  const decode = (part) => new tools.types[part.type](tools.bytes(part.base64).buffer);

  function percentile(values, share) {
    const sorted = Float32Array.from(values).sort();
    return sorted.length ? sorted[Math.round(share * (sorted.length - 1))] : 0;
  }

  // Centimetres of z, x, y at a place in voxels, and back: cubes at the origin, or cells of three sides.
  function ruler(page) {
    const side = page.cellCm ? [2, 0, 1].map((k) => page.cellCm[k]) : Array(3).fill(page.voxelCm);
    const start = page.originCm ? [2, 0, 1].map((k) => page.originCm[k]) : [0, 0, 0];
    return {
      side,
      cm: (axis, at) => start[axis] + at * side[axis],
      voxel: (axis, cm) => (cm - start[axis]) / side[axis],
    };
  }

  // Positions of the page's views are (z, x, y): beam to the right, drift to the back, y up.
  function load(event, page) {
    const raw = decode(event.position);
    const count = raw.length / 3;
    const found = { event, count, page, raw, centre: new Float32Array(3 * count) };
    const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
    for (let k = 0; k < count; k++) {
      for (let axis = 0; axis < 3; axis++) {
        const at = raw[3 * k + (axis + 2) % 3];
        found.centre[3 * k + axis] = at + 0.5;
        low[axis] = Math.min(low[axis], at);
        high[axis] = Math.max(high[axis], at + 1);
      }
    }
    const size = [page.shape[2], page.shape[0], page.shape[1]];
    found.image = { low: [0, 0, 0], high: size };
    found.extent = count ? { low, high } : found.image;
    for (const name of ["energy", "truth", "predicted", "score", "particle"]) {
      found[name] = event[name] ? decode(event[name]) : null;
    }
    found.energyRange = event.range ?? [percentile(found.energy, 0.01), percentile(found.energy, 0.99)];
    found.energyLimits = [percentile(found.energy, 0), percentile(found.energy, 1)];
    return found;
  }

  // Voxels above both thresholds (and wrong ones only, if so wanted): 1, else 0. Classes come later.
  function passing(data, wanted) {
    const kept = new Uint8Array(data.count);
    for (let k = 0; k < data.count; k++) {
      kept[k] = data.energy[k] >= wanted.energy
        && (!data.score || data.score[k] >= wanted.score)
        && (!wanted.wrongOnly || data.truth[k] !== data.predicted[k]) ? 1 : 0;
    }
    return kept;
  }

  // How many voxels that pass belong to each class: by truth, by prediction, by both.
  function counts(data, kept) {
    const found = data.page.classes.map(() => ({ truth: 0, predicted: 0, both: 0 }));
    for (let k = 0; k < data.count; k++) {
      if (!kept[k]) continue;
      if (data.truth) found[data.truth[k]].truth++;
      if (data.predicted) found[data.predicted[k]].predicted++;
      if (data.truth && data.predicted && data.truth[k] === data.predicted[k]) found[data.truth[k]].both++;
    }
    return found;
  }

  const nameOf = (page) => page.noun ?? "voxel";

  // The lines that are shown of the voxel under the pointer.
  function lines(data, k) {
    const { classes } = data.page;
    const { cm } = ruler(data.page);
    const found = [];
    if (data.particle) {
      const row = data.particle[k] < 0 ? null : data.event.particles[data.particle[k]];
      if (row) {
        const [name, kinetic, process, parent] = row;
        found.push(`${name}, ${kinetic === null ? "kinetic energy unknown" : `kinetic energy ${number(kinetic, 4)} MeV`}`);
        found.push(`created by: ${process}${parent ? `, from ${parent}` : ""}`);
      } else found.push("no particle");
    }
    if (data.truth) found.push(`truth: ${classes[data.truth[k]].name}`);
    if (data.predicted) {
      const score = data.score ? `, score ${data.score[k].toFixed(3)}` : "";
      found.push(`predicted: ${classes[data.predicted[k]].name}${score}`);
    }
    found.push(`energy: ${number(data.energy[k])} MeV`);
    const at = [...data.raw.slice(3 * k, 3 * k + 3)];
    const [z, x, y] = [2, 0, 1].map((k, axis) => cm(axis, at[k] + 0.5).toFixed(2));
    found.push(`x ${x}, y ${y}, z ${z} cm`, `${nameOf(data.page)} ${at.join(", ")}${data.page.noun ? "" : " px"}`);
    return found;
  }

  Object.assign(voxels, { load, passing, counts, lines, number, nameOf, ruler });
})();
