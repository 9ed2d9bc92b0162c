// DMoE's grid: a row for each token, a column for each expert, and how much relevance it got.

const GATE_LEVELS = 65535;
const MOST_EXPERTS_SHOWN = 24;
const NARROW_CELL = 10;
const GRID = { left: 62, right: 92, top: 20 };

/** Experts worth a column: all, or those that somebody chose and those with the highest scores. */
function expertsShown(runs, step, count) {
  if (count <= MOST_EXPERTS_SHOWN) return Array.from({ length: count }, (_, node) => node);
  const weight = new Float64Array(count);
  for (const { columns } of runs) {
    const [gate, chosen] = [columns.gate.row(step), columns.chosen.row(step)];
    gate.forEach((score, place) => { weight[place % count] += score / GATE_LEVELS + 1e3 * chosen[place]; });
  }
  const order = Array.from(weight.keys()).sort((one, other) => weight[other] - weight[one]);
  return order.slice(0, MOST_EXPERTS_SHOWN).sort((one, other) => one - other);
}

/** Draw the grid of a layer; return which token lies at a height. */
function drawGrid(canvas, run, step, { experts, selected }) {
  const [, sources, tokens] = run.columns.gate.shape;
  const rows = sources * tokens;
  const tall = Math.max(11, Math.min(26, 500 / rows));
  const { context, width } = surface(canvas, GRID.top + rows * tall + 2);
  const wide = (width - GRID.left - GRID.right) / experts.length;
  drawHeading(context, run, step, experts, wide, width);
  for (let row = 0; row < rows; row += 1) {
    const [source, token, y] = [Math.floor(row / tokens), row % tokens, GRID.top + row * tall];
    experts.forEach((node, column) => drawScore(context, run, [step, source, token, node], GRID.left + column * wide, y, wide, tall));
    drawRelevance(context, run, [step, source, token], width, y, tall);
    const words = token === 0 ? `node ${source}` : tall > 18 ? `${token}` : "";
    text(context, words, GRID.left - 6, y + tall / 2, { align: "right", color: theme.faint, size: 11 });
    if (token === 0 && row > 0) rule(context, y, width);
    if (row === selected) frameRow(context, y, tall, width);
  }
  return (y) => Math.max(0, Math.min(rows - 1, Math.floor((y - GRID.top) / tall)));
}

function drawHeading(context, run, step, experts, wide, width) {
  const longest = `✕${Math.max(...experts)}`.length;
  const every = Math.ceil((7 * longest + 6) / wide);
  experts.forEach((node, column) => {
    const available = run.columns.available.at(step, node);
    if (column % every) return;
    text(context, available ? `${node}` : `✕${node}`, GRID.left + (column + 0.5) * wide, 10, { color: available ? theme.faint : theme.bad, size: 11 });
  });
  text(context, "relevance", width - GRID.right + 10, 10, { align: "left", color: theme.faint, size: 11 });
}

function drawScore(context, run, where, x, y, wide, tall) {
  const { columns } = run;
  const score = columns.gate.at(...where) / GATE_LEVELS;
  context.fillStyle = columns.available.at(where[0], where[3]) ? heat(Math.sqrt(score)) : theme.line;
  context.fillRect(x + 0.5, y + 0.5, wide - 1, tall - 1);
  const radius = Math.min(wide, tall) * 0.36;
  const [middleX, middleY] = [x + wide / 2, y + tall / 2];
  if (columns.chosen.at(...where)) {
    context.fillStyle = visible(run.color);
    if (wide < NARROW_CELL) return context.fillRect(x, y + 0.5, wide, tall - 1);
    context.strokeStyle = theme.paper;
    context.lineWidth = 1.5;
    dot(context, middleX, middleY, radius);
    context.stroke();
  } else if (columns.asked.at(...where)) {
    cross(context, middleX, middleY, radius);
  }
}

function drawRelevance(context, run, where, width, y, tall) {
  const { columns } = run;
  const left = width - GRID.right + 10;
  const span = GRID.right - 28;
  context.fillStyle = theme.line;
  context.fillRect(left, y + 2, span, tall - 4);
  context.fillStyle = columns.short.at(...where) ? theme.bad : theme.faint;
  context.fillRect(left, y + 2, span * Math.min(1, columns.relevance_of.at(...where)), tall - 4);
  context.strokeStyle = theme.ink;
  context.lineWidth = 2;
  const wanted = left + span * Math.min(1, columns.wanted.at(...where));
  line(context, wanted, y + 1, wanted, y + tall - 1);
  if (columns.short.at(...where)) text(context, "!", left + span + 8, y + tall / 2, { color: theme.bad, weight: 700 });
}

function rule(context, y, width) {
  context.strokeStyle = theme.faint;
  context.lineWidth = 1;
  line(context, GRID.left, y, width - GRID.right, y);
}

function frameRow(context, y, tall, width) {
  context.strokeStyle = theme.ink;
  context.lineWidth = 2;
  context.strokeRect(1, y, width - 2, tall);
}
