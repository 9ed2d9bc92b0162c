// Strips: a row for each server, a column for each step; the picture is made once a theme.

const STRIP_LEFT = 34;

class Strip {
  /** `servers` are those that get a row; `colorOf(step, server)` is a CSS colour. */
  constructor(canvas, { steps, servers, colorOf, goTo }) {
    Object.assign(this, { canvas, steps, servers, colorOf, picture: null });
    this.height = Math.max(60, servers.length <= 20 ? servers.length * 14 : Math.min(servers.length * 6, 420));
    seekable(canvas, goTo, (x, width) => Math.floor(((x - STRIP_LEFT) / (width - STRIP_LEFT)) * steps));
  }

  restyle() {
    this.picture = null;
  }

  draw(step) {
    if (this.picture === null) this.picture = this.paint();
    const { context, width, height } = surface(this.canvas, this.height);
    const left = STRIP_LEFT;
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
    const tall = height / this.servers.length;
    const every = Math.ceil(12 / tall);
    for (let row = 0; row < this.servers.length; row += every) {
      text(context, `${this.servers[row]}`, STRIP_LEFT - 6, (row + 0.5) * tall, { align: "right", color: theme.faint, size: 11 });
    }
  }

  paint() {
    const picture = document.createElement("canvas");
    picture.width = this.steps;
    picture.height = this.servers.length;
    const context = picture.getContext("2d");
    this.servers.forEach((server, row) => {
      for (let step = 0; step < this.steps; step += 1) {
        context.fillStyle = this.colorOf(step, server);
        context.fillRect(step, row, 1, 1);
      }
    });
    return picture;
  }
}
