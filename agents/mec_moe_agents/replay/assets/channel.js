// Channel: spectral efficiency to every node over every subcarrier, with what was chosen framed.

const CHANNEL_LEVELS = 255;
const MOST_CHANNEL_HEIGHT = 240;
/** Room for the frames around cells at the edge. */
const RIM = 3;

class ChannelFigure {
  /**
   * `items` are names of what can be looked at, tasks or sources; `originOf(step, item)` is the row
   * where its data are, `choicesOf(run, step, item)` lists `{ row, column }`, column −1 in place.
   */
  constructor(place, { items, note, rowName, runs, cap, originOf, choicesOf, redraw }) {
    Object.assign(this, { note, rowName, runs, cap, originOf, choicesOf });
    const { figure, canvas, caption } = makeFigure("The channel", "", "spectral efficiency by node and subcarrier");
    this.canvas = canvas;
    this.small = caption.querySelector("small");
    this.select = make("select", { "aria-label": "whose channel" });
    items.forEach((words, value) => this.select.append(make("option", { words, value })));
    this.select.addEventListener("change", redraw);
    if (items.length > 1) caption.append(this.select);
    place.append(figure);
    [, this.items, this.rows, this.columns] = runs[0].columns.channel.shape;
  }

  draw(step) {
    const item = Number(this.select.value);
    this.small.textContent = this.note(step, item);
    const tall = Math.max(10, Math.min(16, MOST_CHANNEL_HEIGHT / this.rows));
    const { context, width } = surface(this.canvas, this.rows * tall + 18 + RIM);
    context.translate(0, RIM);
    const left = 66;
    const grid = { left, tall, wide: (width - left - RIM) / this.columns, largest: this.largest(step, item) };
    for (let row = 0; row < this.rows; row += 1) this.drawRow(context, step, item, row, grid);
    for (let column = 0; column < this.columns; column += Math.ceil(20 / grid.wide)) {
      text(context, `${column}`, left + (column + 0.5) * grid.wide, this.rows * tall + 9, { color: theme.faint, size: 10 });
    }
    this.runs.forEach((run, index) => this.frame(context, run, index, this.choicesOf(run, step, item), grid));
  }

  /** The most that a link of the item has in the step; in place there is none. */
  largest(step, item) {
    const { channel } = this.runs[0].columns;
    let most = 1;
    for (let row = 0; row < this.rows; row += 1) {
      if (row === this.originOf(step, item)) continue;
      for (let column = 0; column < this.columns; column += 1) most = Math.max(most, channel.at(step, item, row, column));
    }
    return most;
  }

  drawRow(context, step, item, row, { left, tall, wide, largest }) {
    const middle = (row + 0.5) * tall;
    text(context, `${this.rowName} ${row}`, left - 6, middle, { align: "right", color: theme.faint, size: 10 });
    if (row === this.originOf(step, item)) {
      context.fillStyle = theme.line;
      context.fillRect(left, row * tall, wide * this.columns, tall - 0.5);
      text(context, "in place: nothing is sent", left + 8, middle, { align: "left", size: 10 });
      return;
    }
    for (let column = 0; column < this.columns; column += 1) {
      const level = this.runs[0].columns.channel.at(step, item, row, column);
      const color = heat(level / largest);
      context.fillStyle = color;
      context.fillRect(left + column * wide, row * tall, Math.max(wide - 0.5, 0.5), tall - 0.5);
      if (wide > 26) text(context, ((level / CHANNEL_LEVELS) * this.cap).toFixed(1), left + (column + 0.5) * wide, middle, { size: 10, color: over(color) });
    }
  }

  /** Frame what an agent chose, on a rim that sets it off from the shades. */
  frame(context, run, index, choices, { left, tall, wide }) {
    for (const { row, column } of choices) {
      const [x, span] = column < 0 ? [left, wide * this.columns] : [left + column * wide, wide];
      // Around the cell, so that its number stays readable.
      const box = [x - 1, row * tall - 1, Math.max(span + 2, 4), tall + 2];
      if (index === 0) {
        context.strokeStyle = theme.paper;
        context.lineWidth = 4;
        context.strokeRect(...box);
      }
      context.strokeStyle = visible(run.color);
      context.lineWidth = 2.5;
      context.setLineDash(DASHES[index]);
      context.strokeRect(...box);
      context.setLineDash([]);
    }
  }
}
