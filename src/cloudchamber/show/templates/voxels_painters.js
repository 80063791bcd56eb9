"use strict";
// Two ways to paint voxels: WebGL, and a plain canvas where there is none. Both take one colour a voxel.
(function () {
  const FADE = 0.3; // how far the colour of the farthest voxels goes toward the page's

  const VERTEX = `
    attribute vec3 centre; attribute vec4 colour;
    uniform vec3 right, up, toward, target; uniform vec2 size;
    uniform float scale, distance, flatView, radius, least, factor;
    varying vec4 paint; varying float fade, pixels;
    void main() {
      vec3 from = centre - target;
      float depth = dot(toward, from);
      float magnified = flatView > 0.5 ? scale : scale * distance / max(distance - depth, 0.02 * distance);
      gl_Position = vec4(2.0 * magnified * vec2(dot(right, from), dot(up, from)) / size,
                         clamp(-depth / (3.0 * radius), -0.99, 0.99), 1.0);
      if (colour.a == 0.0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
      pixels = max(least, magnified * factor);
      gl_PointSize = pixels;
      fade = clamp(0.5 - 0.5 * depth / radius, 0.0, 1.0);
      paint = colour;
    }`;
  const FRAGMENT = `
    precision mediump float;
    uniform vec3 page; uniform float fading;
    varying vec4 paint; varying float fade, pixels;
    void main() {
      vec2 edge = min(gl_PointCoord, 1.0 - gl_PointCoord) * pixels;
      float rim = pixels > 5.0 && min(edge.x, edge.y) < 1.0 ? 0.72 : 1.0;
      gl_FragColor = vec4(mix(paint.rgb, page, fading * fade) * rim, 1.0);
    }`;

  function compile(gl) {
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
  }

  class WebglPainter {
    static on(canvas) {
      const gl = canvas.getContext("webgl", { alpha: true, antialias: false });
      const program = gl && compile(gl);
      return program ? new WebglPainter(gl, program) : null;
    }

    constructor(gl, program) {
      Object.assign(this, { gl, program, kind: "webgl", at: {} });
      gl.useProgram(program);
      for (let k = 0; k < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); k++) {
        const { name } = gl.getActiveUniform(program, k);
        this.at[name] = gl.getUniformLocation(program, name);
      }
      this.buffers = [["centre", 3, gl.FLOAT, false], ["colour", 4, gl.UNSIGNED_BYTE, true]].map(([name, ...form]) => {
        const [buffer, place] = [gl.createBuffer(), gl.getAttribLocation(program, name)];
        gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
        gl.enableVertexAttribArray(place);
        gl.vertexAttribPointer(place, ...form, 0, 0);
        return buffer;
      });
      gl.enable(gl.DEPTH_TEST);
    }

    fill(index, array) {
      const { gl } = this;
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[index]);
      gl.bufferData(gl.ARRAY_BUFFER, array, gl.DYNAMIC_DRAW);
    }

    setVoxels(centre) {
      this.count = centre.length / 3;
      this.fill(0, centre);
    }

    setColours(colours) { this.fill(1, colours); }

    draw(camera, width, height, look) {
      const { gl, at } = this;
      gl.viewport(0, 0, width, height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      for (const name of ["right", "up", "toward", "target"]) gl.uniform3fv(at[name], camera[name]);
      gl.uniform2f(at.size, width, height);
      const values = {
        scale: look.scale, distance: camera.distance, flatView: camera.flat ? 1 : 0, radius: camera.radius,
        least: look.least, factor: look.factor, fading: camera.flat ? 0 : FADE,
      };
      for (const [name, value] of Object.entries(values)) gl.uniform1f(at[name], value);
      gl.uniform3fv(at.page, look.page.map((part) => part / 255));
      if (this.count) gl.drawArrays(gl.POINTS, 0, this.count);
    }
  }

  class CanvasPainter {
    constructor(canvas) { Object.assign(this, { context: canvas.getContext("2d"), kind: "canvas" }); }

    setVoxels(centre) { this.centre = centre; }

    setColours(colours) { this.colours = colours; }

    draw(camera, width, height, look) {
      const { context, centre, colours } = this;
      context.clearRect(0, 0, width, height);
      const depths = new Float32Array(centre.length / 3);
      const seen = [];
      for (let k = 0; k < depths.length; k++) {
        if (!colours[4 * k + 3]) continue;
        depths[k] = voxels.dot(camera.toward, centre.subarray(3 * k, 3 * k + 3));
        seen.push(k);
      }
      seen.sort((a, b) => depths[a] - depths[b]);
      for (const k of seen) {
        const at = camera.project(centre.subarray(3 * k, 3 * k + 3), width, height, look.scale);
        const { x, y, depth, scale } = at;
        const side = Math.max(look.least, scale * look.factor);
        const fade = camera.flat ? 0 : FADE * Math.max(0, Math.min(1, 0.5 - 0.5 * depth / camera.radius));
        const mixed = look.page.map((page, part) => Math.round(colours[4 * k + part] * (1 - fade) + page * fade));
        context.fillStyle = `rgb(${mixed.join(",")})`;
        context.fillRect(x - side / 2, y - side / 2, side, side);
      }
    }
  }

  // With #canvas at the end of its address the page is shown as by a browser without WebGL.
  function painter(canvas, plain = location.hash === "#canvas") {
    return (!plain && WebglPainter.on(canvas)) || new CanvasPainter(canvas);
  }

  Object.assign(voxels, { painter });
})();
