// Strips: a row for each server, a column for each step; the picture is made once a theme.

class Strip {
  /** `colorOf(step, row)` is a CSS colour. */
  constructor(canvas, { steps, rows, colorOf, goTo }) {
    Object.assign(this, { canvas, steps, rows, colorOf, picture: null });
    this.height = Math.min(260, Math.max(rows * 14, 60));
    seekable(canvas, goTo, (x, width) => Math.floor(((x - 26) / (width - 26)) * steps));
  }

  restyle() {
    this.picture = null;
  }

  draw(step) {
    if (this.picture === null) this.picture = this.paint();
    const { context, width, height } = surface(this.canvas, this.height);
    const left = 26;
    const column = (width - left) / this.steps;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.picture, left, 0, width - left, height);
    this.drawNumbers(context, height);
    context.strokeStyle = theme.ink;
    context.lineWidth = 1.5;
    const middle = left + (step + 0.5) * column;
    line(context, middle, 0, middle, height);
  }

  drawNumbers(context, height) {
    const tall = height / this.rows;
    const every = Math.ceil(12 / tall);
    for (let row = 0; row < this.rows; row += every) {
      text(context, `${row}`, 20, (row + 0.5) * tall, { align: "right", color: theme.faint, size: 11 });
    }
  }

  paint() {
    const picture = document.createElement("canvas");
    picture.width = this.steps;
    picture.height = this.rows;
    const context = picture.getContext("2d");
    for (let row = 0; row < this.rows; row += 1) {
      for (let step = 0; step < this.steps; step += 1) {
        context.fillStyle = this.colorOf(step, row);
        context.fillRect(step, row, 1, 1);
      }
    }
    return picture;
  }
}
