// Charts: a curve for each agent over the steps, with a cursor; click or drag to go there.

const MARGIN = { left: 58, right: 12, top: 10, bottom: 24 };
const DASHES = [[], [6, 4]];

class Chart {
  /** `curves` have a name, a colour and values by step; `bound` is a number or null. */
  constructor(canvas, curves, { steps, unit, height = 190, bound = null, goTo }) {
    Object.assign(this, { canvas, curves, steps, unit, height, bound });
    const values = curves.flatMap((curve) => Array.from(curve.values).filter(Number.isFinite));
    if (bound !== null) values.push(bound);
    this.ticks = niceTicks(Math.min(0, ...extremes(values)), Math.max(0, ...extremes(values)));
    seekable(canvas, goTo, (x, width) => {
      const share = (x - MARGIN.left) / (width - MARGIN.left - MARGIN.right);
      return Math.round(share * (steps - 1));
    });
  }

  draw(step) {
    const { context, width, height } = surface(this.canvas, this.height);
    const [low, high] = [this.ticks[0], this.ticks.at(-1)];
    const spanX = width - MARGIN.left - MARGIN.right;
    const spanY = height - MARGIN.top - MARGIN.bottom;
    const x = (at) => MARGIN.left + (this.steps > 1 ? at / (this.steps - 1) : 0.5) * spanX;
    const y = (value) => MARGIN.top + (1 - (value - low) / (high - low)) * spanY;
    this.drawAxes(context, width, height, x, y);
    this.curves.forEach((curve, index) => this.drawCurve(context, curve, index, x, y));
    if (this.bound !== null) this.drawBound(context, width, y(this.bound));
    this.drawCursor(context, step, x, y, height);
  }

  drawAxes(context, width, height, x, y) {
    context.strokeStyle = theme.line;
    context.lineWidth = 1;
    for (const tick of this.ticks) {
      line(context, MARGIN.left, y(tick), width - MARGIN.right, y(tick));
      text(context, number(tick), MARGIN.left - 6, y(tick), { align: "right", color: theme.faint });
    }
    const last = this.steps - 1;
    const marks = niceTicks(0, last).filter((mark) => Number.isInteger(mark) && mark <= last);
    marks.forEach((mark) => {
      const words = mark === 0 ? `${this.unit} ${label(mark)}` : `${label(mark)}`;
      text(context, words, x(mark), height - 9, { color: theme.faint });
    });
  }

  drawCurve(context, curve, index, x, y) {
    context.strokeStyle = context.fillStyle = visible(curve.color);
    context.lineWidth = 2;
    context.setLineDash(DASHES[index]);
    context.beginPath();
    curve.values.forEach((value, step) => { if (Number.isFinite(value)) context.lineTo(x(step), y(value)); });
    context.stroke();
    context.setLineDash([]);
    if (this.steps > 40) return;
    curve.values.forEach((value, step) => dot(context, x(step), y(value), 3));
  }

  drawBound(context, width, y) {
    context.strokeStyle = theme.ink;
    context.lineWidth = 1.5;
    context.setLineDash([2, 3]);
    line(context, MARGIN.left, y, width - MARGIN.right, y);
    context.setLineDash([]);
    text(context, "certified bound", width - MARGIN.right, y + 9, { align: "right", size: 11 });
  }

  drawCursor(context, step, x, y, height) {
    context.strokeStyle = theme.ink;
    context.lineWidth = 1;
    line(context, x(step), MARGIN.top, x(step), height - MARGIN.bottom);
    this.curves.forEach((curve) => {
      if (!Number.isFinite(curve.values[step])) return;
      context.fillStyle = visible(curve.color);
      dot(context, x(step), y(curve.values[step]), 4.5);
    });
  }
}

function extremes(values) {
  return values.length ? [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))] : [0, 1];
}

function dot(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

/** Round numbers from at most `low` to at least `high`, four to six of them. */
function niceTicks(low, high) {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= 5);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

/** Let a press, or a drag, on a canvas go to the step beneath it. */
function seekable(canvas, goTo, stepAt) {
  canvas.classList.add("seekable");
  const seek = (event) => {
    const box = canvas.getBoundingClientRect();
    goTo(stepAt(event.clientX - box.left, box.width));
  };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); seek(event); });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) seek(event); });
}
