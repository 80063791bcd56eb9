"use strict";
// What lies over the image: axes with units, a scale bar, marks of vertices and hits.
(function () {
  const MARGIN = { left: 66, right: 66, top: 10, bottom: 44 };
  const MOST_HITS = 6000;

  function axes(context, data, view, plot, colours) {
    const { page } = data;
    const x = (wire) => plot.left + (wire - view.x0) / (view.x1 - view.x0) * plot.width;
    const y = (drift) => plot.top + (view.y1 - drift) / (view.y1 - view.y0) * plot.height;
    context.strokeStyle = colours.muted;
    context.lineWidth = 1;
    context.strokeRect(plot.left - 0.5, plot.top - 0.5, plot.width + 1, plot.height + 1);
    context.fillStyle = colours.ink;
    context.font = tools.font(11);
    const line = (x0, y0, x1, y1) => {
      context.beginPath();
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
      context.stroke();
    };
    const whole = (step) => Math.max(1, step);
    context.textAlign = "center";
    const [w0, w1] = [Math.max(0, view.x0), Math.min(data.width, view.x1)];
    const shownX = (w1 - w0) / (view.x1 - view.x0); // share of the view that the plane takes
    const shownY = (Math.min(data.height, view.y1) - Math.max(0, view.y0)) / (view.y1 - view.y0);
    for (const wire of tools.ticks(w0, w1, whole(tools.niceStep(w1 - w0, Math.max(1, shownX * plot.width / 90))))) {
      const at = x(wire + (wire < data.width ? 0.5 : 0));
      if (at > plot.left + plot.width + 1) continue;
      line(at, plot.top + plot.height, at, plot.top + plot.height + 5);
      context.fillText(wire.toLocaleString("en"), at, plot.top + plot.height + 18);
    }
    context.font = tools.font(12, 600);
    context.fillText("wire", plot.left + plot.width / 2, plot.top + plot.height + 36);
    const upright = (words, at, direction) => {
      context.save();
      context.translate(at, plot.top + plot.height / 2);
      context.rotate(direction * Math.PI / 2);
      context.fillText(words, 0, 0);
      context.restore();
    };
    const [d0, d1] = [Math.max(0, view.y0) * page.rebin, Math.min(data.height, view.y1) * page.rebin];
    upright(page.tickUs ? `tick (${tools.number(page.tickUs)} µs)` : "drift bin", 14, -1);
    if (page.tickUs) upright("time (µs)", plot.left + plot.width + 52, 1);
    context.font = tools.font(11);
    const about = Math.max(1, shownY * plot.height / 60);
    context.textAlign = "right";
    for (const tick of tools.ticks(d0, d1, whole(tools.niceStep(d1 - d0, about)))) {
      const at = y(tick / page.rebin);
      line(plot.left - 5, at, plot.left, at);
      context.fillText(tick.toLocaleString("en"), plot.left - 8, at + 4);
    }
    if (!page.tickUs) return;
    context.textAlign = "left";
    const [t0, t1] = [d0 * page.tickUs, d1 * page.tickUs];
    const step = tools.niceStep(t1 - t0, about);
    for (const us of tools.ticks(t0, t1, step)) {
      const at = y(us / page.tickUs / page.rebin);
      const right = plot.left + plot.width;
      line(right, at, right + 5, at);
      context.fillText(tools.number(us, 6).replace(/\B(?=(\d{3})+(?!\d))/g, us >= 1000 ? "," : ""), right + 8, at + 4);
    }
  }

  // Lengths along wires and along the drift, for they may be drawn on different scales.
  function scaleBars(context, data, view, plot, colours) {
    const { page } = data;
    if (!page.pitchMm || !page.tickUs || !page.driftMmUs) return;
    const perX = plot.width / ((view.x1 - view.x0) * page.pitchMm);
    const perY = plot.height / ((view.y1 - view.y0) * page.rebin * page.tickUs * page.driftMmUs);
    const bar = (per, room) => tools.niceStep(room / per, 1);
    const words = (mm) => (mm >= 1000 ? `${mm / 1000} m` : mm >= 10 ? `${mm / 10} cm` : `${tools.number(mm)} mm`);
    const [across, upward] = [bar(perX, plot.width / 14), bar(perY, plot.height / 9)];
    const [left, bottom] = [plot.left + 14, plot.top + plot.height - 16];
    context.font = tools.font(11);
    context.textAlign = "left";
    context.lineJoin = "round";
    context.fillStyle = colours.ink;
    for (const [colour, extra] of [[colours.card, 3], [colours.ink, 0]]) { // a rim first, so that no track is hidden
      context.strokeStyle = colour;
      context.lineWidth = 2 + extra;
      context.beginPath();
      context.moveTo(left, bottom - upward * perY);
      context.lineTo(left, bottom);
      context.lineTo(left + across * perX, bottom);
      context.stroke();
      context.lineWidth = extra;
      for (const [label, x, y] of [
        [words(across), left + 2, bottom + 12], [`${words(upward)} of drift`, left + 7, bottom - upward * perY / 2 + 4],
      ]) {
        if (extra) context.strokeText(label, x, y);
        else context.fillText(label, x, y);
      }
    }
  }

  function marks(context, data, view, plot, state) {
    context.save();
    context.beginPath();
    context.rect(plot.left, plot.top, plot.width, plot.height);
    context.clip();
    const [perX, perY] = [plot.width / (view.x1 - view.x0), plot.height / (view.y1 - view.y0)];
    const inside = (wire, drift) => wire >= view.x0 - 1 && wire <= view.x1 + 1 && drift >= view.y0 - 1 && drift <= view.y1 + 1;
    const x = (wire) => plot.left + (wire - view.x0) * perX;
    const y = (drift) => plot.top + (view.y1 - drift) * perY;
    if (data.hits && state.hits) {
      const { wire, tick, rms } = data.hits;
      const seen = [];
      for (let k = 0; k < wire.length; k++) if (inside(wire[k], tick[k] / data.page.rebin)) seen.push(k);
      if (seen.length <= MOST_HITS) {
        context.strokeStyle = tools.styled("--ink");
        context.lineWidth = 1;
        for (const k of seen) {
          const [middle, half] = [tick[k] / data.page.rebin, Math.max(rms[k] / data.page.rebin * perY, 2)];
          const at = x(wire[k] + 0.5);
          context.beginPath();
          context.moveTo(at, y(middle) - half);
          context.lineTo(at, y(middle) + half);
          context.stroke();
        }
      }
      state.hitsLeftOut = seen.length > MOST_HITS ? seen.length : 0;
    }
    if (data.vertices && state.vertices) {
      const { wire, drift, flags } = data.vertices;
      const radius = Math.max(5, Math.min(12, 0.8 * Math.min(perX, perY)));
      context.lineWidth = 2;
      for (let k = 0; k < wire.length; k++) {
        if (!inside(wire[k], drift[k])) continue;
        data.page.vertexKinds.filter(({ flag }) => flags[k] & flag).forEach((style, ring) => {
          context.strokeStyle = wires.colourOf(style);
          context.beginPath();
          context.arc(x(wire[k] + 0.5), y(drift[k] + 0.5), radius + 3 * ring, 0, 2 * Math.PI);
          context.stroke();
        });
      }
    }
    context.restore();
  }

  Object.assign(wires, { MARGIN, axes, scaleBars, marks });
})();
