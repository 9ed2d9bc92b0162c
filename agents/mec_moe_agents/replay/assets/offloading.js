// Offloading: servers on a map, subcarriers, the channel, and what servers learn over time.

const MOST_LEGEND = 12;
const MOST_ROWS = 64;
const MAP_SIDE = 340;
const SIGNS = "◆ a task where it arrives · disc: a server, with the letter of what it has learned most · arc: busy · ✕ failed · number on a link: its subcarrier · no scheduler sees the types";

class View {
  constructor(record, runs) {
    Object.assign(this, { record, runs, strips: [], shades: new Map() });
    [this.tasks, this.servers, this.subcarriers] = [record.sizes.U, record.sizes.M, record.sizes.S];
  }

  figures(run, step) {
    const { columns } = run;
    const pairs = [
      ["return so far", number(columns.return.at(step), 4)],
      ["error Gₜ", number(columns.generalization_error.at(step))],
      ["rejected", `${sum(columns.rejected.values, step)}`],
      ["energy so far", energy(sum(columns.energy_j.values, step))],
    ];
    if (columns.accuracy) pairs.splice(2, 0, ["accuracy", `${number(100 * columns.accuracy.at(step))} %`]);
    return pairs;
  }

  curves() {
    return [
      returnCurve(this.record),
      { title: "Overall generalization error Gₜ", note: "lower is better", valuesOf: (run) => run.columns.generalization_error.values, bound: null },
    ];
  }

  summary(run, step) {
    const kept = picksOf(run, step).filter((pick) => pick.kept).map((pick) => `server ${pick.server}`);
    return `${kept.length ? kept.join(", ") : "rejected"}, return ${number(run.columns.return.at(step), 4)}.`;
  }

  addPanel(body, run) {
    const map = make("canvas", { role: "img", className: "map" });
    const strip = make("canvas", { role: "img", className: "subcarriers" });
    const words = make("div", { className: "words" });
    const table = make("tbody");
    const head = make("tr", {}, ...["server", "state", "learned most", "tasks learned"].map((words) => make("th", { scope: "col", words })));
    const details = make("details", {}, make("summary", { words: "the servers as a table" }), make("div", { className: "scroll" }, make("table", {}, make("thead", {}, head), table)));
    details.addEventListener("toggle", () => fillServers(table, run, Number(document.body.dataset.step), this.record.types));
    body.append(make("div", {}, map, strip), words);
    body.after(details);
    return (step) => {
      this.drawMap(map, run, step);
      this.drawSubcarriers(strip, run, step);
      words.replaceChildren(...slotInWords(run, step, this.record.types));
      if (details.open) fillServers(table, run, step, this.record.types);
    };
  }

  addShared(place, strips, goTo, redraw) {
    this.addLegend(place);
    return [...this.addChannel(place, redraw), ...this.runs.map((run) => this.addStrip(strips, run, goTo))];
  }

  addLegend(place) {
    const shown = this.record.types.slice(0, MOST_LEGEND).map((type) => make("li", {}, make("span", { className: "chip", words: type.letter }), ` ${type.name}`));
    const more = this.record.types.length - shown.length;
    if (more > 0) shown.push(make("li", { words: `… and ${more} more types` }));
    place.append(make("ul", { className: "legend", "aria-label": "Task types and signs" }, ...shown, make("li", { words: SIGNS })));
  }

  addChannel(place, redraw) {
    if (!this.runs[0].columns.channel) return [];
    const { origin } = this.runs[0].columns;
    const figure = new ChannelFigure(place, {
      runs: this.runs, cap: this.record.cap, rowName: "server", redraw,
      items: Array.from({ length: this.tasks }, (_, task) => `task ${task + 1} of ${this.tasks} in the slot`),
      note: (step, task) => `bit/s/Hz from server ${origin.at(step, task)}, where the task arrived; framed: what was chosen`,
      originOf: (step, task) => origin.at(step, task),
      choicesOf: (run, step, task) => picksOf(run, step).filter((pick) => pick.kept && pick.task === task).map((pick) => ({ row: pick.server, column: pick.subcarrier })),
    });
    return [(step) => figure.draw(step)];
  }

  addStrip(place, run, goTo) {
    const servers = this.rowsOf(run);
    const which = servers.length < this.servers ? `the ${servers.length} servers that learned × slot` : "server × slot: what was learned most, paler when mixed";
    const { figure, canvas } = makeFigure(`Specialisation under ${run.name}`, which, `what each server has learned most over the slots under ${run.name}`);
    place.append(figure);
    const strip = new Strip(canvas, { steps: this.record.steps, servers, goTo, colorOf: (step, server) => this.fill(run, step, server) });
    this.strips.push(strip);
    return (step) => strip.draw(step);
  }

  /** The servers that get a row: all, or of many those that have learned anything in the end. */
  rowsOf(run) {
    const all = Array.from({ length: this.servers }, (_, server) => server);
    const learned = run.columns.learned_type.row(this.record.steps - 1);
    return this.servers <= MOST_ROWS ? all : all.filter((server) => learned[server] !== UNTRAINED);
  }

  restyle() {
    this.shades.clear();
    this.strips.forEach((strip) => strip.restyle());
    document.querySelectorAll(".legend .chip").forEach((chip, type) => paintChip(chip, this.record.types[type]));
  }

  /** Colour of a server: of the type that it has learned most, paler the more it has mixed. */
  fill(run, step, server) {
    if (!run.columns.working.at(step, server)) return theme.line;
    const type = run.columns.learned_type.at(step, server);
    if (type === UNTRAINED) return theme.paper;
    return this.shade(type, run.columns.learned_share.at(step, server));
  }

  shade(type, percent) {
    const key = type * 101 + percent;
    if (!this.shades.has(key)) this.shades.set(key, mix(theme.paper, this.record.types[type].color, 0.2 + 0.8 * (percent / 100)));
    return this.shades.get(key);
  }

  look(run, step, server) {
    const type = run.columns.learned_type.at(step, server);
    return {
      fill: this.fill(run, step, server),
      letter: type === UNTRAINED ? "" : this.record.types[type].letter,
      works: run.columns.working.at(step, server) === 1,
      busy: slotsLeft(run.columns.busy_until, step, server) / this.record.max_delay,
    };
  }

  drawMap(canvas, run, step) {
    const side = Math.min(canvas.parentElement.clientWidth, MAP_SIDE);
    const { context, width } = surface(canvas, side);
    const radius = discRadius(this.servers);
    const places = placesOf(run.columns.position, this.record.area, side, radius);
    context.translate((width - side) / 2, 0);
    context.strokeStyle = theme.line;
    context.strokeRect(0.5, 0.5, side - 1, side - 1);
    const links = this.links(run, step);
    links.forEach(({ origin, server, ...link }) => drawLink(context, places[origin], places[server], radius, link));
    places.forEach((place, server) => drawServer(context, place, radius, this.look(run, step, server)));
    if (radius > 5) places.forEach(([x, y], server) => text(context, `${server}`, x, y + radius + NUMBER_BELOW, { color: theme.faint, size: 10 }));
    links.forEach(({ origin, server, ...link }) => tagLink(context, places[origin], places[server], radius, places, link));
    for (let task = 0; task < this.tasks; task += 1) {
      drawTask(context, places[run.columns.origin.at(step, task)], radius, this.record.types[run.columns.type.at(step, task)]);
    }
    canvas.setAttribute("aria-label", `map of ${plural(this.servers, "server")}: ${sawInWords(run, step)}`);
  }

  /** Links in use: transfers that go on, and those of this slot's picks. */
  links(run, step) {
    const { subcarrier_until: until, link_origin: origins, link_server: servers } = run.columns;
    const links = [];
    for (let subcarrier = 0; subcarrier < this.subcarriers; subcarrier += 1) {
      if (slotsLeft(until, step, subcarrier) === 0) continue;
      const ends = { origin: origins.at(step, subcarrier), server: servers.at(step, subcarrier) };
      links.push({ ...ends, subcarrier, fresh: false, color: theme.faint });
    }
    return [...links, ...sentPicks(run, step).map((pick) => ({ ...pick, fresh: true, color: visible(run.color) }))];
  }

  drawSubcarriers(canvas, run, step) {
    const fresh = new Set(sentPicks(run, step).map((pick) => pick.subcarrier));
    const colorOf = (subcarrier) => {
      if (fresh.has(subcarrier)) return visible(run.color);
      return slotsLeft(run.columns.subcarrier_until, step, subcarrier) > 0 ? theme.faint : null;
    };
    drawCells(canvas, "subcarriers, filled while in use", this.subcarriers, colorOf);
    canvas.setAttribute("aria-label", `${freeSubcarriers(run, step)} of ${this.subcarriers} subcarriers were free`);
  }
}

/** The picks of a slot that were carried out and send something. */
function sentPicks(run, step) {
  return picksOf(run, step).filter((pick) => pick.kept && pick.server !== pick.origin);
}
