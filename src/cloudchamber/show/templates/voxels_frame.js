"use strict";
// The box behind the voxels: grid on its far sides, centimetres along its edges, a scale bar.
(function () {
  const NAMES = ["z", "x", "y"];

  const { niceStep, ticks } = tools;

  function corner(box, sides) {
    return sides.map((side, axis) => (side ? box.high[axis] : box.low[axis]));
  }

  function drawFrame(context, camera, width, height, ruler, colours) {
    const { box } = camera;
    const scale = camera.scale(width, height);
    const at = (point) => camera.project(point, width, height, scale);
    const eye = camera.flat ? camera.toward
      : camera.toward.map((part, k) => part * camera.distance + camera.target[k] - box.low[k] - camera.half[k]);
    const far = eye.map((part) => (part > 0 ? 0 : 1)); // which side of each axis lies behind
    const cubes = ruler.side.every((side) => side === ruler.side[0]);
    const lengths = camera.half.map((half, k) => 2 * half * ruler.side[k]);
    const steps = lengths.map((length) => niceStep(cubes ? Math.max(...lengths) : length, camera.flat ? 7 : 5));
    const marks = box.low.map((low, k) => ticks(ruler.cm(k, low), ruler.cm(k, box.high[k]), steps[k]));

    context.lineWidth = 1;
    const line = (a, b, colour) => {
      const [p, q] = [at(a), at(b)];
      context.strokeStyle = colour;
      context.beginPath();
      context.moveTo(p.x, p.y);
      context.lineTo(q.x, q.y);
      context.stroke();
    };
    for (let normal = 0; normal < 3; normal++) {
      const [i, j] = [(normal + 1) % 3, (normal + 2) % 3];
      for (const [along, across] of [[i, j], [j, i]]) {
        for (const cm of [...marks[across], null, Infinity]) {
          const [a, b] = [[0, 0, 0], [0, 0, 0]];
          a[normal] = b[normal] = far[normal] ? box.high[normal] : box.low[normal];
          a[across] = b[across] = cm === null ? box.low[across] : cm === Infinity ? box.high[across]
            : ruler.voxel(across, cm);
          [a[along], b[along]] = [box.low[along], box.high[along]];
          line(a, b, cm === null || cm === Infinity ? colours.muted : colours.grid);
        }
      }
    }

    const middle = at(box.low.map((low, k) => low + camera.half[k]));
    context.fillStyle = colours.ink;
    for (let axis = 0; axis < 3; axis++) {
      const [i, j] = [(axis + 1) % 3, (axis + 2) % 3];
      const edges = [[far[i], 1 - far[j]], [1 - far[i], far[j]]].map(([si, sj]) => {
        const [start, end] = [[0, 0, 0], [0, 0, 0]];
        [start[i], start[j], end[i], end[j], end[axis]] = [si, sj, si, sj, 1];
        const [a, b] = [corner(box, start), corner(box, end)];
        const [p, q] = [at(a), at(b)];
        return { a, b, p, q, x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 };
      });
      const upright = axis === 2 || (camera.flat && Math.abs(camera.up[axis]) > 0.5);
      const edge = edges.reduce((best, other) => ((upright ? other.x < best.x : other.y > best.y) ? other : best));
      const length = Math.hypot(edge.q.x - edge.p.x, edge.q.y - edge.p.y);
      if (length < 45) continue;
      context.textBaseline = "middle";
      context.font = colours.font(11);
      let out = [-(edge.q.y - edge.p.y) / length, (edge.q.x - edge.p.x) / length];
      if (out[0] * (edge.x - middle.x) + out[1] * (edge.y - middle.y) < 0) out = out.map((part) => -part);
      const wide = Math.max(0, ...marks[axis].map((cm) => context.measureText(voxels.number(cm)).width));
      const few = Math.max(1, Math.ceil(34 * marks[axis].length / length));
      marks[axis].forEach((cm, k) => {
        if (k % few) return;
        const point = [...edge.a];
        point[axis] = ruler.voxel(axis, cm);
        const p = at(point);
        context.strokeStyle = colours.muted;
        context.beginPath();
        context.moveTo(p.x, p.y);
        context.lineTo(p.x + 4 * out[0], p.y + 4 * out[1]);
        context.stroke();
        context.textAlign = "center";
        context.fillText(voxels.number(cm), p.x + (9 + wide / 2) * out[0], p.y + 12 * out[1]);
      });
      context.font = colours.font(12, 600);
      context.textAlign = "center";
      const turned = Math.abs(out[0]) > 0.85;
      const half = turned ? 8 : context.measureText(`${NAMES[axis]} (cm)`).width / 2;
      context.save();
      context.translate(edge.x + (16 + wide + half) * out[0], edge.y + 32 * out[1]);
      if (turned) context.rotate(-Math.PI / 2);
      context.fillText(`${NAMES[axis]} (cm)`, 0, 0);
      context.restore();
    }

    if (!cubes) return; // no one scale holds along all axes
    const [side] = ruler.side;
    const bar = niceStep(width / 5 / scale * side, 1);
    const pixels = bar / side * scale;
    context.fillRect(12, 14, pixels, 2);
    context.fillRect(12, 11, 1, 8);
    context.fillRect(11 + pixels, 11, 1, 8);
    context.font = colours.font(11);
    context.textAlign = "left";
    context.fillText(`${voxels.number(bar)} cm`, 12, 27);
  }

  Object.assign(voxels, { drawFrame });
})();
