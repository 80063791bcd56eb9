"use strict";
// Draws every 3D view of the page, in the colours of the page, and turns the views of one volume together.
(function () {
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const config = { displayModeBar: false, responsive: true, scrollZoom: false };

  function dress(layout) {
    layout.font = { color: style("--ink"), size: 11, family: getComputedStyle(document.body).fontFamily };
    for (const name of ["xaxis", "yaxis", "zaxis"]) {
      Object.assign(layout.scene[name], {
        gridcolor: style("--grid"), linecolor: style("--muted"), tickcolor: style("--muted"),
        showline: true, color: style("--muted"),
      });
    }
    return layout;
  }

  function turnTogether(view, others) {
    const follow = (event) => {
      const camera = event && event["scene.camera"];
      if (!camera || view.dataset.following) return;
      for (const other of others) {
        if (other.dataset.following) continue;
        other.dataset.following = "1";
        Plotly.relayout(other, { "scene.camera": camera }).finally(() => delete other.dataset.following);
      }
    };
    view.on("plotly_relayouting", follow);
    view.on("plotly_relayout", follow);
  }

  async function draw() {
    const views = [...document.querySelectorAll(".view")];
    for (const view of views) {
      const figure = JSON.parse(document.getElementById(view.dataset.figure).textContent);
      await Plotly.newPlot(view, figure.data, dress(figure.layout), config);
      view.dataset.drawn = "1";
      await new Promise((resume) => setTimeout(resume));
    }
    for (const row of document.querySelectorAll(".views")) {
      const inRow = [...row.querySelectorAll(".view")];
      for (const view of inRow) turnTogether(view, inRow.filter((other) => other !== view));
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const view of views) Plotly.react(view, view.data, dress(view.layout), config);
    });
    document.documentElement.dataset.ready = "1";
  }

  draw();
})();
