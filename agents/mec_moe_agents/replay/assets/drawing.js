// Drawing: canvases that fit their place, the theme's colours, numbers as people write them.

const LEAST_WIDTH = 160;

/** Fit a canvas to its place at this height in CSS pixels, clear it, and return what to draw on. */
function surface(canvas, height) {
  const ratio = window.devicePixelRatio || 1;
  const room = canvas.parentElement.clientWidth - padding(canvas.parentElement);
  const width = Math.max(room, LEAST_WIDTH);
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.font = font(12);
  context.textBaseline = "middle";
  return { context, width, height };
}

function padding(element) {
  const style = getComputedStyle(element);
  return parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
}

function font(size, weight = 400) {
  return `${weight} ${size}px system-ui, "Liberation Sans", sans-serif`;
}

const theme = { dark: false };

/** Read the theme's colours from the style sheet; again after it changed. */
function readTheme() {
  const probe = document.createElement("span");
  document.body.append(probe);
  for (const name of ["paper", "sheet", "ink", "faint", "line", "heat-low", "heat-high", "bad"]) {
    probe.style.color = `var(--${name})`;
    theme[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  theme.dark = luminance(theme.paper) < 0.5;
}

function channels(color) {
  if (color.startsWith("#")) {
    return [1, 3, 5].map((start) => parseInt(color.slice(start, start + 2), 16));
  }
  return color.match(/[\d.]+/g).slice(0, 3).map(Number);
}

function luminance(color) {
  const [red, green, blue] = channels(color);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}

/** The colour a share of the way from one to another. */
function mix(from, to, share) {
  const end = channels(to);
  const mixed = channels(from).map((value, index) => value + (end[index] - value) * share);
  return `rgb(${mixed.map(Math.round).join(", ")})`;
}

/** A colour of the record such that it stands out from the page: dark ones are lit up at night. */
function visible(color) {
  return theme.dark && luminance(color) < 0.55 ? mix(color, "#ffffff", 0.45) : color;
}

/** Black or white, whichever reads better on a colour. */
function over(color) {
  return luminance(color) > 0.55 ? "#000000" : "#ffffff";
}

function heat(share) {
  return mix(theme["heat-low"], theme["heat-high"], Math.max(0, Math.min(1, share)));
}

function line(context, fromX, fromY, toX, toY) {
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  context.stroke();
}

function text(context, words, x, y, { align = "center", color = theme.ink, size = 12, weight = 400 } = {}) {
  context.font = font(size, weight);
  context.textAlign = align;
  context.fillStyle = color;
  context.fillText(words, x, y);
}

/** Draw a row of numbered cells under a title; `colorOf(cell)` is null where one is empty. */
function drawCells(canvas, title, count, colorOf) {
  const { context, width, height } = surface(canvas, 42);
  const wide = width / count;
  text(context, title, 0, 10, { align: "left", color: theme.faint, size: 11 });
  context.lineWidth = 1;
  context.strokeStyle = theme.line;
  for (let cell = 0; cell < count; cell += 1) {
    const color = colorOf(cell);
    context.fillStyle = color ?? theme.paper;
    if (color || wide > 4) context.fillRect(cell * wide, 20, Math.max(wide - 0.5, 2), height - 21);
    if (wide > 4) context.strokeRect(cell * wide + 0.5, 20.5, wide - 1, height - 22);
    if (wide > 15) text(context, `${cell}`, (cell + 0.5) * wide, 31, { size: 10, color: color ? over(color) : theme.faint });
  }
}
