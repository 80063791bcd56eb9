"use strict";
// One view of the event: frame, voxels, the mark under the pointer, and what pointer and keys do.
(function () {
  const REACH = 6; // pixels within which a voxel is found
  const KEYS = {
    ArrowLeft: (c) => c.turn(0.08, 0), ArrowRight: (c) => c.turn(-0.08, 0),
    ArrowUp: (c) => c.turn(0, -0.08), ArrowDown: (c) => c.turn(0, 0.08),
    "+": (c) => c.zoomBy(1.2), "=": (c) => c.zoomBy(1.2), "-": (c) => c.zoomBy(1 / 1.2),
    0: (c) => c.look(c.view), Home: (c) => c.look(c.view),
  };
  const STEPS = { ArrowLeft: [-30, 0], ArrowRight: [30, 0], ArrowUp: [0, -30], ArrowDown: [0, 30] };

  class Panel {
    constructor(element, camera, hooks) {
      Object.assign(this, { element, camera, hooks, pointers: new Map(), colours: new Uint8Array(0) });
      this.stage = element.querySelector(".stage");
      [this.under, this.canvas] = this.stage.querySelectorAll("canvas");
      this.ring = this.stage.querySelector(".ring");
      this.tip = this.stage.querySelector(".tip");
      this.painter = voxels.painter(this.canvas);
      this.canvas.addEventListener("webglcontextlost", () => this.fallBack());
      new ResizeObserver(() => this.refresh()).observe(this.stage);
      camera.listeners.push(() => this.refresh());
      this.listen();
    }

    // The browser took WebGL away: go on with a plain canvas.
    fallBack() {
      const fresh = this.canvas.cloneNode();
      this.canvas.replaceWith(fresh);
      this.canvas = fresh;
      this.painter = voxels.painter(fresh, true);
      if (this.data) this.show(this.data);
      this.paint(this.colours, this.shown);
      this.hooks.fellBack();
    }

    show(data) {
      this.data = data;
      this.painter.setVoxels(data.centre);
    }

    // Colours of all voxels; those with alpha 0 are not drawn.
    paint(colours, shown) {
      Object.assign(this, { colours, shown });
      this.painter.setColours(colours);
      this.refresh();
    }

    refresh() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        if (this.data) this.draw();
      });
    }

    size() { return [this.stage.clientWidth, this.stage.clientHeight]; }

    draw() {
      const [width, height] = this.size();
      if (!width || !height) return;
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      for (const canvas of [this.under, this.canvas]) {
        const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
        if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
      }
      const context = this.under.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      const look = this.hooks.look();
      voxels.drawFrame(context, this.camera, width, height, voxels.ruler(this.data.page), look);
      const scale = this.camera.scale(width, height);
      this.painter.draw(this.camera, this.canvas.width, this.canvas.height, {
        page: look.page, scale: scale * ratio, least: look.least * ratio, factor: look.factor,
      });
      this.element.dataset.shown = this.shown;
      this.mark(this.marked);
    }

    place(voxel) {
      return this.camera.project(this.data.centre.subarray(3 * voxel, 3 * voxel + 3), ...this.size());
    }

    // The voxel nearest to the reader at a point of the view, or -1.
    pick(x, y) {
      const [width, height] = this.size();
      const { least, factor } = this.hooks.look();
      const scale = this.camera.scale(width, height);
      let [best, front] = [-1, Infinity];
      for (let k = 0; k < this.data.count; k++) {
        if (!this.colours[4 * k + 3]) continue;
        const at = this.camera.project(this.data.centre.subarray(3 * k, 3 * k + 3), width, height, scale);
        const half = Math.max(least, at.scale * factor) / 2;
        const off = Math.max(Math.abs(at.x - x), Math.abs(at.y - y));
        if (off > Math.max(half, REACH)) continue;
        const order = (off <= half + 0.5 ? 0 : 1e6 + 1e3 * off) - at.depth;
        if (order < front) [best, front] = [k, order];
      }
      return best;
    }

    // A ring about a voxel, here and in the other view.
    mark(voxel = -1) {
      this.marked = voxel;
      const there = voxel >= 0 && voxel < this.data.count && this.colours[4 * voxel + 3] > 0;
      this.ring.hidden = !there;
      if (!there) return;
      const at = this.place(voxel);
      const side = Math.max(12, at.scale + 8);
      Object.assign(this.ring.style, {
        width: `${side}px`, height: `${side}px`, left: `${at.x - side / 2}px`, top: `${at.y - side / 2}px`,
      });
    }

    tell(voxel, x, y) {
      this.tip.hidden = voxel < 0;
      if (voxel < 0) return;
      tools.tell(this.tip, voxels.lines(this.data, voxel), x, y, ...this.size());
    }

    hover(x, y) {
      const voxel = this.pick(x, y);
      this.hooks.marked(voxel);
      this.tell(voxel, x, y);
    }

    quiet() {
      this.hooks.marked(-1);
      this.tell(-1);
    }

    listen() {
      const { stage, camera, pointers } = this;
      const at = (event) => {
        const box = stage.getBoundingClientRect();
        return { x: event.clientX - box.left, y: event.clientY - box.top };
      };
      stage.addEventListener("pointerdown", (event) => {
        stage.setPointerCapture(event.pointerId);
        pointers.set(event.pointerId, { ...at(event), travelled: 0, pan: event.shiftKey || event.button > 0 });
        this.tell(-1);
      });
      stage.addEventListener("pointermove", (event) => {
        const old = pointers.get(event.pointerId);
        const now = at(event);
        if (!old) {
          if (!pointers.size) this.hover(now.x, now.y);
          return;
        }
        const [dx, dy] = [now.x - old.x, now.y - old.y];
        const others = [...pointers].filter(([id]) => id !== event.pointerId);
        if (others.length) {
          const [, other] = others[0];
          const spread = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
          camera.zoomBy(spread(now) / spread(old));
        } else if (old.pan || camera.flat) camera.shift(dx, dy, camera.scale(...this.size()));
        else camera.turn(dx * 0.008, dy * 0.008);
        Object.assign(old, now, { travelled: old.travelled + Math.hypot(dx, dy) });
      });
      const lift = (event) => {
        const old = pointers.get(event.pointerId);
        pointers.delete(event.pointerId);
        if (old && old.travelled < 4 && event.type === "pointerup") this.hover(old.x, old.y);
      };
      for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, lift);
      stage.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") this.quiet(); });
      stage.addEventListener("contextmenu", (event) => event.preventDefault());
      stage.addEventListener("wheel", (event) => {
        event.preventDefault();
        camera.zoomBy(Math.exp(-0.0015 * event.deltaY));
      }, { passive: false });
      stage.addEventListener("dblclick", (event) => {
        const { x, y } = at(event);
        const voxel = this.pick(x, y);
        if (voxel < 0) return;
        camera.target = [...this.data.centre.subarray(3 * voxel, 3 * voxel + 3)];
        camera.zoomBy(2);
      });
      stage.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const step = STEPS[event.key];
        if (step && (event.shiftKey || camera.flat)) camera.shift(...step, camera.scale(...this.size()));
        else if (KEYS[event.key]) KEYS[event.key](camera);
        else return;
        event.preventDefault();
      });
    }
  }

  Object.assign(voxels, { Panel });
})();
