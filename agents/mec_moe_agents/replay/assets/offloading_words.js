// Offloading in words: what an agent saw, what it did with each task, and what that cost.

const NONE = -1;
const UNTRAINED = -1;
const MOST_TABLE_ROWS = 64;

function slotsLeft(until, step, item) {
  return Math.max(0, until.at(step, item) - step);
}

function freeSubcarriers(run, step) {
  return run.columns.subcarrier_until.row(step).filter((until) => until <= step).length;
}

/** What an agent saw of servers and subcarriers. */
function sawInWords(run, step) {
  const { working, busy_until: until, subcarrier_until: held } = run.columns;
  const servers = working.shape[1];
  let [idle, failed] = [0, 0];
  for (let server = 0; server < servers; server += 1) {
    if (!working.at(step, server)) failed += 1;
    else if (slotsLeft(until, step, server) === 0) idle += 1;
  }
  const ill = failed > 0 ? `, ${failed} failed` : "";
  return `${idle} of ${plural(servers, "server")} idle${ill}, ${freeSubcarriers(run, step)} of ${plural(held.shape[1], "subcarrier")} free`;
}

/** The picks of a slot, in the order of the action, without those of nobody. */
function picksOf(run, step) {
  const { columns } = run;
  const tasks = columns.origin.shape[1];
  const places = columns.server.shape[1];
  return Array.from({ length: places }, (_, place) => {
    const task = Math.floor((place * tasks) / places);
    return {
      task, origin: columns.origin.at(step, task), server: columns.server.at(step, place),
      subcarrier: columns.subcarrier.at(step, place), kept: columns.kept.at(step, place) === 1,
      slots: columns.slots.at(step, place), joules: columns.joules.at(step, place),
      error: columns.model_error.at(step, place), efficiency: columns.efficiency.at(step, place),
    };
  }).filter((pick) => pick.server !== NONE);
}

function slotInWords(run, step, types) {
  const { columns } = run;
  const paragraphs = [labelled("saw", sawInWords(run, step))];
  for (let task = 0; task < columns.origin.shape[1]; task += 1) paragraphs.push(taskInWords(run, step, task, types));
  paragraphs.push(labelled("cost", costInWords(run, step, ["error", "energy", "delay"])));
  const lost = columns.lost.at(step);
  if (lost > 0) paragraphs.push(make("p", { className: "bad", words: `${plural(lost, "training")} lost to a failure` }));
  return paragraphs;
}

function taskInWords(run, step, task, types) {
  const { columns } = run;
  const type = types[columns.type.at(step, task)];
  const chip = make("span", { className: "chip", words: type.letter });
  paintChip(chip, type);
  const payload = `${number(columns.payload.at(step, task))} Mbit`;
  const arrival = ` ${type.name}, arrived at server ${columns.origin.at(step, task)}, ${payload} `;
  const paragraph = labelled(`task ${step * columns.origin.shape[1] + task}`, chip, arrival);
  const picks = picksOf(run, step).filter((pick) => pick.task === task);
  picks.forEach((pick) => paragraph.append(...(pick.kept ? pickInWords(run, step, pick, types) : droppedInWords(pick))));
  if (!picks.some((pick) => pick.kept)) {
    paragraph.append(make("strong", { words: "→ rejected: " }), "it counts the error of the zero model for ever");
  }
  return paragraph;
}

function droppedInWords(pick) {
  const radio = pick.subcarrier === NONE ? "" : ` on subcarrier ${pick.subcarrier}`;
  return [make("span", { className: "bad", words: `→ server ${pick.server}${radio} was not to be had: dropped ` })];
}

function pickInWords(run, step, pick, types) {
  const { columns } = run;
  const radio = pick.server === pick.origin
    ? "in place, nothing is sent"
    : `on subcarrier ${pick.subcarrier} (${number(pick.efficiency)} bit/s/Hz)`;
  const tasks = columns.learned_tasks.at(step, pick.server);
  const most = types[columns.learned_type.at(step, pick.server)];
  const share = columns.learned_share.at(step, pick.server);
  const before = tasks > 0 ? `it had learned ${plural(number(tasks), "task")}, ${share} % ${most.letter}` : "it was untrained";
  return [
    make("strong", { words: `→ server ${pick.server}` }),
    ` ${radio}, ${plural(pick.slots, "slot")}, ${energy(pick.joules)}; ${before}, and errs by ${number(pick.error)} on this task (least error of an idle one: ${number(columns.least_error.at(step, pick.task))}) `,
  ];
}

/** Fill a table with the state of every server, for those who cannot see the map. */
function fillServers(table, run, step, types) {
  const { columns } = run;
  table.replaceChildren();
  for (let server = 0; server < Math.min(columns.working.shape[1], MOST_TABLE_ROWS); server += 1) {
    const left = slotsLeft(columns.busy_until, step, server);
    const training = columns.training.at(step, server);
    const busy = left === 0 ? "idle" : `busy for ${plural(left, "slot")}${training === NONE ? "" : ` with ${types[training].name}`}`;
    const type = columns.learned_type.at(step, server);
    const most = type === UNTRAINED ? "nothing" : `${types[type].name}, ${columns.learned_share.at(step, server)} %`;
    const cells = [columns.working.at(step, server) ? busy : "failed", most, number(columns.learned_tasks.at(step, server))];
    table.append(make("tr", {}, make("th", { scope: "row", words: `${server}` }), ...cells.map((words) => make("td", { words }))));
  }
}

function paintChip(chip, type) {
  chip.style.background = type.color;
  chip.style.color = over(type.color);
}
