"use strict";
// One camera for all views: it turns about a point; the third axis (y of the detector) stays upright.
(function () {
  const VIEWS = {
    "3d": { yaw: -1.05, pitch: 0.38, flat: false },
    xy: { yaw: 0, pitch: 0, flat: true },
    xz: { yaw: 0, pitch: -Math.PI / 2, flat: true },
    zy: { yaw: -Math.PI / 2, pitch: 0, flat: true },
  };
  const MARGIN = 46; // of pixels, for the numbers on the axes
  const EYE = 4; // distance of the eye in radii of the box

  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

  class Camera {
    constructor() {
      this.listeners = [];
      this.setBox({ low: [0, 0, 0], high: [1, 1, 1] });
    }

    setBox(box, view = this.view || "3d") {
      this.box = box;
      this.half = box.high.map((high, axis) => (high - box.low[axis]) / 2);
      this.radius = Math.hypot(...this.half);
      this.look(view);
    }

    look(view) {
      this.view = view;
      Object.assign(this, VIEWS[view], { zoom: 1 });
      this.target = this.box.low.map((low, axis) => low + this.half[axis]);
      this.changed();
    }

    changed() {
      const [cy, sy, cp, sp] = [Math.cos(this.yaw), Math.sin(this.yaw), Math.cos(this.pitch), Math.sin(this.pitch)];
      this.right = [-sy, cy, 0];
      this.up = [-sp * cy, -sp * sy, cp];
      this.toward = [cp * cy, cp * sy, sp];
      this.distance = EYE * this.radius;
      for (const listener of this.listeners) listener();
    }

    // Pixels per voxel at the target, in a view of this size.
    scale(width, height) {
      const extent = (axis) => this.half.reduce((sum, half, k) => sum + half * Math.abs(axis[k]), 0);
      let [across, upward] = [extent(this.right), extent(this.up)];
      if (!this.flat) {
        const level = Math.hypot(this.half[0], this.half[1]);
        const pitch = VIEWS["3d"].pitch;
        across = level;
        upward = this.half[2] * Math.cos(pitch) + level * Math.sin(pitch);
      }
      const fit = Math.min((width / 2 - MARGIN) / across, (height / 2 - MARGIN) / upward);
      return Math.max(fit, 0.01) * this.zoom;
    }

    // Where a point of the detector comes to lie: x and y in pixels, depth toward the reader, magnification.
    project(point, width, height, scale = this.scale(width, height)) {
      const from = [point[0] - this.target[0], point[1] - this.target[1], point[2] - this.target[2]];
      const depth = dot(this.toward, from);
      const magnified = this.flat ? scale : scale * this.distance / Math.max(this.distance - depth, 0.02 * this.distance);
      return {
        x: width / 2 + dot(this.right, from) * magnified,
        y: height / 2 - dot(this.up, from) * magnified,
        depth, scale: magnified,
      };
    }

    turn(dx, dy) {
      if (this.flat) return;
      this.yaw -= dx;
      this.pitch = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, this.pitch + dy));
      this.changed();
    }

    shift(dx, dy, scale) {
      this.target = this.target.map((at, k) => at - (dx * this.right[k] - dy * this.up[k]) / scale);
      this.changed();
    }

    zoomBy(factor) {
      this.zoom = Math.max(0.3, Math.min(60, this.zoom * factor));
      this.changed();
    }
  }

  Object.assign(voxels, { Camera, dot });
})();
