"use strict";
// One view of the plane: image, axes, what is told of a pixel, and what pointer and keys do.
(function () {
  const CLOSEST = 6; // pixels of the plane across a view at the least
  const KEYS = {
    ArrowLeft: (w) => w.shift(-0.1, 0), ArrowRight: (w) => w.shift(0.1, 0),
    ArrowUp: (w) => w.shift(0, 0.1), ArrowDown: (w) => w.shift(0, -0.1),
    "+": (w) => w.zoom(1.3), "=": (w) => w.zoom(1.3), "-": (w) => w.zoom(1 / 1.3),
    0: (w) => w.whole(), Home: (w) => w.whole(),
  };

  // The part of the plane that all views show; y runs along the drift, upward.
  class Window {
    constructor(width, height) {
      Object.assign(this, { width, height, listeners: [], most: [width, height] });
      this.whole();
    }

    // ``most``: wires and drift bins across a view at the most, those of the plane and what keeps proportions.
    whole() {
      const [x, y] = this.most;
      this.set((this.width - x) / 2, (this.width + x) / 2, (this.height - y) / 2, (this.height + y) / 2);
    }

    get isWhole() { return this.x1 - this.x0 > 0.999 * this.most[0] && this.y1 - this.y0 > 0.999 * this.most[1]; }

    set(x0, x1, y0, y1) {
      const [spanX, spanY] = [[x1 - x0, this.width, this.most[0]], [y1 - y0, this.height, this.most[1]]].map(
        ([span, size, most]) => Math.min(Math.max(span, Math.min(CLOSEST, size)), most));
      const kept = (low, high, span, most) => {
        const middle = (low + high) / 2;
        const half = span / 2;
        return span >= most ? most / 2 : Math.max(half, Math.min(most - half, middle));
      };
      const [cx, cy] = [kept(x0, x1, spanX, this.width), kept(y0, y1, spanY, this.height)];
      Object.assign(this, { x0: cx - spanX / 2, x1: cx + spanX / 2, y0: cy - spanY / 2, y1: cy + spanY / 2 });
      for (const listener of this.listeners) listener();
    }

    shift(x, y) {
      const [dx, dy] = [x * (this.x1 - this.x0), y * (this.y1 - this.y0)];
      this.set(this.x0 + dx, this.x1 + dx, this.y0 + dy, this.y1 + dy);
    }

    // Zoom about a point given as shares of the view, along one axis or both.
    zoom(factor, x = 0.5, y = 0.5, along = "both") {
      const fx = along === "drift" ? 1 : factor;
      const fy = along === "wires" ? 1 : factor;
      const within = (span, size, most) => Math.min(Math.max(span, Math.min(CLOSEST, size)), most);
      const spanX = within((this.x1 - this.x0) / fx, this.width, this.most[0]);
      const spanY = within((this.y1 - this.y0) / fy, this.height, this.most[1]);
      const [px, py] = [this.x0 + x * (this.x1 - this.x0), this.y0 + y * (this.y1 - this.y0)];
      this.set(px - x * spanX, px + (1 - x) * spanX, py - y * spanY, py + (1 - y) * spanY);
    }
  }

  class Panel {
    constructor(element, data, view, hooks) {
      Object.assign(this, { element, data, view, hooks, pointers: new Map(), by: "signal" });
      this.stage = element.querySelector(".stage");
      [this.canvas, this.over] = this.stage.querySelectorAll("canvas");
      [this.tip, this.band] = [".tip", ".band"].map((name) => this.stage.querySelector(name));
      new ResizeObserver(() => { hooks.resized(); this.refresh(); }).observe(this.stage);
      view.listeners.push(() => this.refresh());
      this.listen();
    }

    plot() {
      const { left, right, top, bottom } = wires.MARGIN;
      const narrow = this.stage.clientWidth < 520;
      return {
        left, top, width: Math.max(20, this.stage.clientWidth - left - right),
        height: Math.max(20, this.stage.clientHeight - top - bottom), narrow,
      };
    }

    refresh() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        this.draw();
      });
    }

    draw() {
      const [width, height] = [this.stage.clientWidth, this.stage.clientHeight];
      if (!width || !height) return;
      const start = performance.now();
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      for (const canvas of [this.canvas, this.over]) {
        const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
        if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
      }
      const plot = this.plot();
      const context = this.canvas.getContext("2d");
      const [w, h] = [Math.round(plot.width * ratio), Math.round(plot.height * ratio)];
      if (!this.image || this.image.width !== w || this.image.height !== h) this.image = context.createImageData(w, h);
      wires.paint(this.image, this.data, ...this.hooks.tables(this.by), this.view);
      context.clearRect(0, 0, this.canvas.width, this.canvas.height);
      context.putImageData(this.image, Math.round(plot.left * ratio), Math.round(plot.top * ratio));
      const over = this.over.getContext("2d");
      over.setTransform(ratio, 0, 0, ratio, 0, 0);
      over.clearRect(0, 0, width, height);
      const colours = this.hooks.colours();
      wires.marks(over, this.data, this.view, plot, this.hooks.state);
      wires.axes(over, this.data, this.view, plot, colours);
      wires.scaleBars(over, this.data, this.view, plot, colours);
      this.mark();
      this.lastMs = performance.now() - start;
      const { x0, x1, y0, y1 } = this.view;
      const { rebin } = this.data.page;
      const [a, b, c, d] = [Math.max(0, x0), Math.min(this.data.width, x1) - 1, Math.max(0, y0) * rebin, Math.min(this.data.height, y1) * rebin - 1]
        .map((value) => Math.round(value).toLocaleString("en"));
      const hidden = this.hooks.state.hits && this.hooks.state.hitsLeftOut
        ? ` · zoom in to see the hits (${this.hooks.state.hitsLeftOut.toLocaleString("en")} here)` : "";
      this.element.querySelector(".shown").textContent = `wires ${a} to ${b}, ticks ${c} to ${d}${hidden}`;
    }

    // The pixel of the plane at a point of the view, or null.
    pick(x, y) {
      const plot = this.plot();
      const [u, v] = [(x - plot.left) / plot.width, (y - plot.top) / plot.height];
      if (u < 0 || u >= 1 || v < 0 || v >= 1) return null;
      const wire = Math.floor(this.view.x0 + u * (this.view.x1 - this.view.x0));
      const drift = Math.floor(this.view.y1 - v * (this.view.y1 - this.view.y0));
      const there = wire >= 0 && wire < this.data.width && drift >= 0 && drift < this.data.height;
      return there ? { wire, drift } : null;
    }

    // A frame about the pixel that is told of, in all views.
    mark() {
      const pixel = this.hooks.state.marked;
      if (!pixel) return;
      const plot = this.plot();
      const [perX, perY] = [plot.width / (this.view.x1 - this.view.x0), plot.height / (this.view.y1 - this.view.y0)];
      const context = this.over.getContext("2d");
      const [w, h] = [Math.max(perX, 7), Math.max(perY, 7)];
      const x = plot.left + (pixel.wire + 0.5 - this.view.x0) * perX - w / 2;
      const y = plot.top + (this.view.y1 - pixel.drift - 0.5) * perY - h / 2;
      context.strokeStyle = this.hooks.colours().ink;
      context.lineWidth = 1.5;
      context.strokeRect(x, y, w, h);
    }

    hover(x, y) {
      const pixel = this.pick(x, y);
      this.hooks.marked(pixel);
      this.tip.hidden = !pixel;
      if (pixel) {
        tools.tell(this.tip, wires.lines(this.data, pixel.wire, pixel.drift), x, y,
          this.stage.clientWidth, this.stage.clientHeight);
      }
    }

    quiet() {
      this.tip.hidden = true;
      this.hooks.marked(null);
    }

    readMiddle() {
      const plot = this.plot();
      this.hover(plot.left + plot.width / 2, plot.top + plot.height / 2);
    }

    // Shares of the view, from its left and lower edge.
    shares(x, y) {
      const plot = this.plot();
      return [(x - plot.left) / plot.width, 1 - (y - plot.top) / plot.height].map((part) => Math.max(0, Math.min(1, part)));
    }

    drawBand(from, to) {
      const [left, top] = [Math.min(from.x, to.x), Math.min(from.y, to.y)];
      this.band.hidden = false;
      Object.assign(this.band.style, {
        left: `${left}px`, top: `${top}px`, width: `${Math.abs(from.x - to.x)}px`, height: `${Math.abs(from.y - to.y)}px`,
      });
    }

    zoomTo(from, to) {
      this.band.hidden = true;
      if (Math.abs(from.x - to.x) < 4 || Math.abs(from.y - to.y) < 4) return;
      const [[u0, v0], [u1, v1]] = [this.shares(from.x, from.y), this.shares(to.x, to.y)];
      const { x0, x1, y0, y1 } = this.view;
      const [x, y] = [(u) => x0 + u * (x1 - x0), (v) => y0 + v * (y1 - y0)];
      this.hooks.freed();
      this.view.set(x(Math.min(u0, u1)), x(Math.max(u0, u1)), y(Math.min(v0, v1)), y(Math.max(v0, v1)));
    }

    listen() {
      const { stage, view, pointers } = this;
      const at = (event) => {
        const box = stage.getBoundingClientRect();
        return { x: event.clientX - box.left, y: event.clientY - box.top };
      };
      stage.addEventListener("pointerdown", (event) => {
        stage.setPointerCapture(event.pointerId);
        pointers.set(event.pointerId, { ...at(event), from: at(event), travelled: 0, box: event.shiftKey });
        this.tip.hidden = true;
      });
      stage.addEventListener("pointermove", (event) => {
        const [old, now] = [pointers.get(event.pointerId), at(event)];
        if (!old) {
          if (!pointers.size) this.hover(now.x, now.y);
          return;
        }
        const plot = this.plot();
        const [dx, dy] = [now.x - old.x, now.y - old.y];
        const others = [...pointers].filter(([id]) => id !== event.pointerId);
        if (others.length) {
          const [, other] = others[0];
          const spread = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
          view.zoom(spread(now) / spread(old), ...this.shares((now.x + other.x) / 2, (now.y + other.y) / 2));
        } else if (old.box) this.drawBand(old.from, now);
        else view.shift(-dx / plot.width, dy / plot.height);
        Object.assign(old, now, { travelled: old.travelled + Math.hypot(dx, dy) });
      });
      const lift = (event) => {
        const old = pointers.get(event.pointerId);
        pointers.delete(event.pointerId);
        if (!old) return;
        if (old.box) this.zoomTo(old.from, old);
        else if (old.travelled < 4 && event.type === "pointerup") this.hover(old.x, old.y);
      };
      for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, lift);
      stage.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse" && !pointers.size) this.quiet(); });
      stage.addEventListener("wheel", (event) => {
        event.preventDefault();
        const turned = event.deltaY || event.deltaX; // with Shift browsers turn the wheel sideways
        const along = event.shiftKey ? "wires" : event.altKey ? "drift" : "both";
        if (along !== "both") this.hooks.freed();
        const { x, y } = at(event);
        view.zoom(Math.exp(-0.0015 * turned), ...this.shares(x, y), along);
        this.hover(x, y);
      }, { passive: false });
      stage.addEventListener("dblclick", (event) => {
        const { x, y } = at(event);
        view.zoom(2, ...this.shares(x, y));
      });
      stage.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (KEYS[event.key]) KEYS[event.key](view);
        else if (event.key === "Enter") this.readMiddle();
        else if (event.key === "Escape") this.quiet();
        else if (!this.hooks.key(event.key, this)) return;
        event.preventDefault();
      });
    }
  }

  Object.assign(wires, { Window, Panel });
})();
