// Words: numbers as people write them, and elements made of text that is never read as HTML.

/** Three or so digits without idle zeros, a true minus. */
function number(value, digits = 3) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const places = size === 0 ? 0 : Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return `${Number(value.toFixed(Math.min(places, 4)))}`.replace("-", "−");
}

/** Joules, in mJ where there are few. */
function energy(joules) {
  return joules < 1 ? `${number(joules * 1000)} mJ` : `${number(joules)} J`;
}

function plural(count, one, several = `${one}s`) {
  return `${count} ${`${count}` === "1" ? one : several}`;
}

/** Make an element with a class and text, which is never read as HTML. */
function make(tag, { className = "", words = "", ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (words) element.textContent = words;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Make a figure with a canvas; `describe` later says in words what it shows. */
function makeFigure(title, note, label) {
  const canvas = make("canvas", { role: "img", "aria-label": label });
  const caption = make("figcaption", {}, make("span", { words: title }), make("small", { words: note }));
  return { figure: make("figure", {}, caption, make("div", {}, canvas)), canvas, caption };
}

function labelled(name, ...children) {
  return make("p", {}, make("span", { className: "label", words: name }), ...children);
}

/** Joules of a step, and its reward as the sum of its weighted terms. */
function costInWords(run, step, names) {
  const { columns } = run;
  const terms = names.map((name) => `${name} ${number(columns[`term_${name}`].at(step))}`);
  const spent = `${energy(columns.energy_j.at(step))}, of which ${energy(columns.transmission_energy_j.at(step))} to send`;
  return `${spent}; reward ${number(columns.reward.at(step))} = ${terms.join(", ")}`;
}

/** Sum of values by step, up to one of them. */
function sum(values, step) {
  let total = 0;
  for (let each = 0; each <= step; each += 1) total += values[each];
  return total;
}
