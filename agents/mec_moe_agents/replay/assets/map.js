// Map: servers where they stand, what they have learned, what keeps them busy, links in use.

const EDGE = 26;
const NUMBER_ROOM = 17;
/** Of a server's number below its disc. */
const NUMBER_BELOW = 11;
const TAG_ROOM = 14;
/** Shares of a link's way at which its tag may lie, the best first. */
const TAG_SHARES = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8];

/** Radius of a server's disc in CSS pixels, by how many there are. */
function discRadius(count) {
  if (count <= 16) return 14;
  if (count <= 40) return 10;
  return count <= 150 ? 6 : 2.5;
}

/** Places on a square of this side, nudged apart so that no disc hides another. */
function placesOf(position, area, side, radius) {
  const scale = (side - 2 * EDGE) / area;
  const count = position.shape[0];
  const places = Array.from({ length: count }, (_, server) => [
    EDGE + position.at(server, 0) * scale, side - EDGE - position.at(server, 1) * scale,
  ]);
  for (let round = 0; round < (count <= 64 ? 60 : 0); round += 1) {
    for (let a = 0; a < count; a += 1) for (let b = 0; b < a; b += 1) part(places[a], places[b], 2 * radius + NUMBER_ROOM);
    places.forEach((place) => place.forEach((value, axis) => { place[axis] = Math.max(EDGE, Math.min(side - EDGE, value)); }));
  }
  return places;
}

function part(one, other, apart) {
  const [dx, dy] = [one[0] - other[0], one[1] - other[1]];
  const distance = Math.hypot(dx, dy) || 0.01;
  if (distance >= apart) return;
  const push = (apart - distance) / 2 / distance;
  one[0] += dx * push; one[1] += dy * push;
  other[0] -= dx * push; other[1] -= dy * push;
}

/** Draw one server: `look` says what it has learned, is training, and whether it works. */
function drawServer(context, [x, y], radius, look) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = look.fill;
  context.fill();
  context.lineWidth = 1;
  context.strokeStyle = theme.faint;
  context.stroke();
  if (radius < 5) return;
  if (!look.works) return cross(context, x, y, radius);
  text(context, look.letter, x, y + 0.5, { color: over(look.fill), size: radius, weight: 700 });
  if (look.busy > 0) {
    context.strokeStyle = theme.ink;
    context.lineWidth = 3;
    context.beginPath();
    context.arc(x, y, radius + 3.5, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(1, look.busy));
    context.stroke();
  }
}

function cross(context, x, y, radius) {
  context.strokeStyle = theme.bad;
  context.lineWidth = 2.5;
  const arm = radius * 0.7;
  line(context, x - arm, y - arm, x + arm, y + arm);
  line(context, x - arm, y + arm, x + arm, y - arm);
}

/** Where a link begins and ends between two discs, and its direction. */
function wayOf(from, to, radius) {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(dx, dy) || 1;
  const along = [dx / length, dy / length];
  const gap = Math.min(radius + 6, length / 2 - 7);
  const at = (place, sign) => place.map((value, axis) => value + sign * along[axis] * gap);
  return { start: at(from, 1), end: at(to, -1), along, length: length - 2 * gap };
}

/** Draw a link from disc to disc as an arrow. */
function drawLink(context, from, to, radius, { color, fresh }) {
  const { start, end: [endX, endY], along: [ux, uy] } = wayOf(from, to, radius);
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = fresh ? 3 : 1.5;
  context.setLineDash(fresh ? [] : [4, 3]);
  line(context, ...start, endX, endY);
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(endX + ux * 3, endY + uy * 3);
  context.lineTo(endX - ux * 8 - uy * 5, endY - uy * 8 + ux * 5);
  context.lineTo(endX - ux * 8 + uy * 5, endY - uy * 8 - ux * 5);
  context.fill();
}

/** Draw the number of a link's subcarrier where it hides least of the servers at these places. */
function tagLink(context, from, to, radius, places, { color, subcarrier }) {
  const { start, end, along: [ux, uy], length } = wayOf(from, to, radius);
  // Beside a short arrow, so that it stays visible.
  const aside = length < 44 ? 17 : 0;
  const hidden = places.flatMap(([x, y]) => [[x, y, radius], [x, y + radius + NUMBER_BELOW, 4]]);
  const room = ([x, y]) => Math.min(TAG_ROOM, ...hidden.map(([otherX, otherY, size]) => Math.hypot(x - otherX, y - otherY) - size));
  let best = null;
  for (const share of TAG_SHARES) {
    const place = [start[0] + share * (end[0] - start[0]) - uy * aside, start[1] + share * (end[1] - start[1]) + ux * aside];
    if (!best || room(place) > room(best)) best = place;
  }
  tag(context, `${subcarrier}`, ...best, color);
}

/** Draw a small label on a patch of the sheet's colour. */
function tag(context, words, x, y, color) {
  context.font = font(11, 600);
  const width = context.measureText(words).width + 8;
  context.fillStyle = theme.sheet;
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(x - width / 2, y - 8, width, 16, 4);
  context.fill();
  context.stroke();
  text(context, words, x, y + 0.5, { size: 11, weight: 600 });
}

/** Draw a waiting task as a diamond with its type's letter, at the upper right of its server. */
function drawTask(context, [x, y], radius, { color, letter }) {
  const [centreX, centreY, half] = [x + radius + 4, y - radius - 4, 10];
  context.fillStyle = color;
  context.strokeStyle = theme.sheet;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(centreX, centreY - half);
  context.lineTo(centreX + half, centreY);
  context.lineTo(centreX, centreY + half);
  context.lineTo(centreX - half, centreY);
  context.closePath();
  context.fill();
  context.stroke();
  text(context, letter, centreX, centreY + 0.5, { color: over(color), size: 10, weight: 700 });
}
