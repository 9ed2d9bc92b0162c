// The page: one panel for each agent, what both see, curves, and what became of the servers.

const record = JSON.parse(document.getElementById("record").textContent);
const world = columnsOf(record.world);
const runs = record.runs.map((run) => ({ ...run, columns: { ...world, ...columnsOf(run.columns) } }));

/** A step as it is called: slots count from 0, layers from 1. */
function label(step) {
  return step + record.first;
}

function where(step) {
  const differs = record.differs.includes(step) ? " · they differ" : "";
  return `${record.unit} ${label(step)} / ${label(record.steps - 1)}${differs}`;
}

function returnCurve({ bound, no_bound: why }) {
  const note = bound === null ? why : `no policy ends above ${number(bound.value, 4)} (${bound.source})`;
  return { title: "Return so far", note, valuesOf: (run) => run.columns.return.values, bound: bound?.value ?? null };
}

function panelOf(run, place) {
  const title = make("div", { className: "title" }, make("h2", { words: run.name }), make("p", { words: run.description }));
  const figures = make("dl", { className: "figures" });
  const body = make("div", { className: "seen" });
  const panel = make("article", { className: "agent", id: `agent-${place}`, "aria-label": run.name }, title, figures, body);
  document.getElementById("agents").append(panel);
  return { panel, body, figures };
}

/** Show names with numbers, a list of pairs. */
function showFigures(list, pairs) {
  list.replaceChildren(...pairs.map(([name, value]) => make("div", {}, make("dt", { words: name }), make("dd", { words: value }))));
}

/** A line for each agent as its curves are drawn, with its name. */
function keys() {
  const each = runs.map((run, place) => make("span", { className: `key key-${place}`, words: run.name }));
  return make("p", { className: "keys" }, ...each);
}

function addCurves(view, goTo) {
  return view.curves().map(({ title, note, valuesOf, bound }) => {
    const { figure, canvas } = makeFigure(title, note, `${title}, by ${record.unit}`);
    figure.insertBefore(keys(), canvas.parentElement);
    document.getElementById("curves").append(figure);
    const curves = runs.map((run) => ({ name: run.name, color: run.color, values: valuesOf(run) }));
    return new Chart(canvas, curves, { steps: record.steps, unit: record.unit, bound, goTo });
  });
}

function drawDifferences() {
  const canvas = document.getElementById("differences");
  const { context, width, height } = surface(canvas, 8);
  context.fillStyle = theme.faint;
  // A slider's thumb does not reach the ends: half of it stays on either side.
  const place = (step) => 8 + (record.steps > 1 ? step / (record.steps - 1) : 0) * (width - 16);
  const thin = Math.max(1, Math.min(4, (width - 16) / record.steps - 0.5));
  record.differs.forEach((step) => context.fillRect(place(step) - thin / 2, 1, thin, height - 2));
}

function announce(view, step) {
  document.getElementById("announcement").textContent = runs.map((run) => `${run.name}: ${view.summary(run, step)}`).join(" ");
}

/** The step that the address names, as in page.html#37; the first one unless it names any. */
function addressed() {
  const named = Number.parseInt(location.hash.slice(1), 10);
  return Number.isNaN(named) ? 0 : named - record.first;
}

let player = null;

function start() {
  readTheme();
  const view = new View(record, runs);
  const goTo = (step) => player.jump(step);
  const panels = runs.map((run, place) => ({ run, ...panelOf(run, place) }));
  const drawers = panels.map(({ run, body }) => view.addPanel(body, run));
  drawers.push(...view.addShared(document.getElementById("world"), document.getElementById("strips"), goTo, () => draw()));
  const charts = addCurves(view, goTo);
  const draw = () => {
    const { step } = player;
    document.getElementById("where").textContent = where(step);
    panels.forEach(({ run, figures }) => showFigures(figures, view.figures(run, step)));
    drawers.forEach((drawer) => drawer(step));
    charts.forEach((chart) => chart.draw(step));
    document.body.dataset.step = step;
    if (!player.playing) announce(view, step);
  };
  const restyle = () => {
    readTheme();
    runs.forEach((run, place) => document.body.style.setProperty(`--agent-${place}`, visible(run.color)));
    view.restyle();
    drawDifferences();
    draw();
  };
  player = new Player(record.steps, record.differs, record.speed, draw);
  document.getElementById("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = theme.dark ? "light" : "dark";
    restyle();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  window.addEventListener("resize", restyle);
  window.addEventListener("hashchange", () => goTo(addressed()));
  player.go(addressed());
  restyle();
}

start();
