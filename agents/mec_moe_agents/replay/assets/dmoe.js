// DMoE: tokens and experts of a layer, links and subcarriers, what it cost.

const UNUSED = -1;
const MOST_LINKS_SHOWN = 16;
const LAYER_SIGNS = "shade: the gate's score · dot, or colour: an expert that was chosen · ✕ one that was asked for in vain · bar: relevance reached, line: relevance wanted, ! short of it · choose a row to read about its token";

class View {
  constructor(record, runs) {
    Object.assign(this, { record, runs, selected: 0 });
    [this.sources, this.tokens, this.nodes] = [record.sizes.I, record.sizes.Q, record.sizes.K];
    this.subcarriers = record.sizes.S;
  }

  figures(run, step) {
    const { columns } = run;
    const pairs = [
      ["return so far", number(columns.return.at(step), 4)],
      ["energy so far", energy(sum(columns.energy_j.values, step))],
      ["tokens short so far", `${sum(columns.cost.values, step)}`],
    ];
    if (columns.accuracy) pairs.push(["accuracy", `${number(100 * columns.accuracy.at(step))} %`]);
    return pairs;
  }

  curves() {
    return [
      returnCurve(this.record),
      { title: "Energy of each layer", note: "joules", valuesOf: (run) => run.columns.energy_j.values, bound: null },
    ];
  }

  summary(run, step) {
    return `${number(run.columns.experts_per_token.at(step))} experts a token, ${plural(run.columns.cost.at(step), "token")} short, return ${number(run.columns.return.at(step), 4)}.`;
  }

  addPanel(body, run) {
    const grid = make("canvas", { role: "img", className: "map" });
    const links = make("canvas", { role: "img" });
    const strip = make("canvas", { role: "img", className: "subcarriers" });
    const words = make("div", { className: "words" });
    body.append(make("div", {}, grid), make("div", {}, words, links, strip));
    let tokenAt = () => 0;
    grid.addEventListener("click", (event) => this.choose(tokenAt(event.clientY - grid.getBoundingClientRect().top)));
    return (step) => {
      const experts = expertsShown(this.runs, step, this.nodes);
      tokenAt = drawGrid(grid, run, step, { experts, selected: this.selected });
      grid.setAttribute("aria-label", `experts of ${plural(this.sources * this.tokens, "token")}: ${this.summary(run, step)}`);
      this.drawLinks(links, run, step);
      this.drawSubcarriers(strip, run, step);
      words.replaceChildren(...this.words(run, step));
    };
  }

  addShared(place, strips, goTo, redraw) {
    place.append(make("ul", { className: "legend" }, make("li", { words: LAYER_SIGNS })));
    this.addTokenChoice(place, redraw);
    if (!this.runs[0].columns.channel) return [];
    const figure = new ChannelFigure(place, {
      runs: this.runs, cap: this.record.cap, rowName: "node", redraw,
      items: Array.from({ length: this.sources }, (_, source) => `links of node ${source}`),
      note: (step, source) => `bit/s/Hz from node ${source}; framed: what was chosen`,
      originOf: (step, source) => source,
      choicesOf: (run, step, source) => this.linksOf(run, step).filter((link) => link.source === source).map((link) => ({ row: link.node, column: link.subcarrier })),
    });
    return [(step) => figure.draw(step)];
  }

  addTokenChoice(place, redraw) {
    this.select = make("select", { id: "token" });
    for (let row = 0; row < this.sources * this.tokens; row += 1) {
      this.select.append(make("option", { words: this.nameOf(row), value: row }));
    }
    const change = () => { this.selected = Number(this.select.value); redraw(); };
    this.select.addEventListener("change", change);
    this.choose = (row) => { this.select.value = row; change(); };
    place.append(make("p", {}, make("label", { for: "token", words: "token in words: " }), this.select));
  }

  restyle() {}

  nameOf(row) {
    return `node ${Math.floor(row / this.tokens)}, token ${row % this.tokens}`;
  }

  /** Links that carried states, by source and node. */
  linksOf(run, step) {
    const { subcarrier, states, delivered, link_joules: joules } = run.columns;
    const links = [];
    for (let source = 0; source < this.sources; source += 1) {
      for (let node = 0; node < this.nodes; node += 1) {
        const where = [step, source, node];
        if (subcarrier.at(...where) === UNUSED) continue;
        links.push({ source, node, subcarrier: subcarrier.at(...where), states: states.at(...where), delivered: delivered.at(...where) === 1, joules: joules.at(...where) });
      }
    }
    return links;
  }

  words(run, step) {
    const { columns } = run;
    const able = columns.available.row(step).reduce((total, each) => total + each, 0);
    const links = this.linksOf(run, step);
    const failed = links.filter((link) => !link.delivered).length;
    const short = columns.cost.at(step);
    const some = this.nodes > MOST_EXPERTS_SHOWN ? ` (${MOST_EXPERTS_SHOWN} of those most chosen and scored are shown)` : "";
    const paragraphs = [
      labelled("saw", `${able} of ${plural(this.nodes, "expert")} available${some}; each token wants a relevance of ${number(columns.threshold.at(step))}, or the most it can get`),
      labelled("chose", `${number(columns.experts_per_token.at(step))} experts a token, over ${plural(links.length, "link")}; mean relevance ${number(columns.relevance.at(step))}`),
    ];
    if (short > 0) paragraphs.push(make("p", { className: "bad", words: `${plural(short, "token")} of ${this.sources * this.tokens} short of it` }));
    if (failed > 0) paragraphs.push(make("p", { className: "bad", words: `${plural(failed, "link")} without a subcarrier or too late` }));
    paragraphs.push(labelled(this.nameOf(this.selected), this.tokenInWords(run, step)));
    paragraphs.push(labelled("cost", costInWords(run, step, ["error", "energy"])));
    return paragraphs;
  }

  tokenInWords(run, step) {
    const { columns } = run;
    const [source, token] = [Math.floor(this.selected / this.tokens), this.selected % this.tokens];
    const parts = [];
    for (let node = 0; node < this.nodes; node += 1) {
      const where = [step, source, token, node];
      if (!columns.asked.at(...where)) continue;
      const radio = node === source ? "in place" : `on subcarrier ${columns.subcarrier.at(step, source, node)}`;
      const lost = columns.chosen.at(...where) ? "" : ", in vain";
      parts.push(`expert ${node} (score ${number(columns.gate.at(...where) / GATE_LEVELS)}, ${radio}${lost})`);
    }
    const chosen = parts.length ? `→ ${parts.join(" and ")}` : "→ nobody: passes the layer unchanged";
    return `${chosen}; relevance ${number(columns.relevance_of.at(step, source, token))} of ${number(columns.wanted.at(step, source, token))}`;
  }

  drawLinks(canvas, run, step) {
    if (Math.max(this.sources, this.nodes) > MOST_LINKS_SHOWN) return void (canvas.hidden = true);
    const [left, top, tall] = [26, 34, 17];
    const { context, width } = surface(canvas, top + this.sources * tall);
    const wide = (width - left) / this.nodes;
    text(context, "links from row to column: subcarrier", 0, 8, { align: "left", color: theme.faint, size: 11 });
    for (let node = 0; node < this.nodes; node += 1) text(context, `${node}`, left + (node + 0.5) * wide, 25, { color: theme.faint, size: 10 });
    for (let source = 0; source < this.sources; source += 1) {
      text(context, `${source}`, left - 8, top + (source + 0.5) * tall, { align: "right", color: theme.faint, size: 10 });
      context.fillStyle = theme.paper;
      context.fillRect(left, top + source * tall + 0.5, width - left, tall - 1);
    }
    for (const { source, node, subcarrier, delivered } of this.linksOf(run, step)) {
      const [x, y] = [left + node * wide, top + source * tall];
      const color = delivered ? visible(run.color) : theme.bad;
      context.fillStyle = color;
      context.fillRect(x + 0.5, y + 0.5, wide - 1, tall - 1);
      text(context, delivered ? `${subcarrier}` : `✕${subcarrier}`, x + wide / 2, y + tall / 2, { color: over(color), size: 10, weight: 600 });
    }
    canvas.setAttribute("aria-label", `${plural(this.linksOf(run, step).length, "link")} in use`);
  }

  drawSubcarriers(canvas, run, step) {
    const holder = run.columns.holder.row(step);
    drawCells(canvas, "subcarriers, filled where in use", this.subcarriers, (s) => (holder[s] === UNUSED ? null : visible(run.color)));
    const used = holder.filter((link) => link !== UNUSED).length;
    canvas.setAttribute("aria-label", `${used} of ${this.subcarriers} subcarriers in use`);
  }
}
