// The marks on the X-ray: landmarks, where the model found them, expected errors, lines, other readers, the ruler.

import { state, hear, find } from './state.js';
import { marks, spacing, byPerson, placed } from './marks.js';
import { view, toScreen } from './view.js';

const svg = find('overlay');
const NAMESPACE = 'http://www.w3.org/2000/svg';
let waiting = false;

function node(parent, kind, attributes) {
  const made = document.createElementNS(NAMESPACE, kind);
  set(made, attributes);
  parent.append(made);
  return made;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

function line(parent, from, to, className) {
  node(parent, 'line', { x1: from[0], y1: from[1], x2: to[0], y2: to[1], class: className });
}

function circle(parent, [cx, cy], r, className) {
  node(parent, 'circle', { cx, cy, r, class: className });
}

function drawTraces(layer) {
  for (const [x1, y1, x2, y2, role] of state.traces) {
    const over = role === 'line' ? 0.08 : 0; // Longer than between the landmarks, so that one sees where lines meet.
    const [dx, dy] = [(x2 - x1) * over, (y2 - y1) * over];
    line(layer, toScreen(x1 - dx, y1 - dy), toScreen(x2 + dx, y2 + dy), `trace ${role}`);
  }
}

function drawOthers(layer) {
  for (const other of state.film.others) {
    if (!state.otherReaders.has(other.reader)) continue;
    for (const row of other.landmarks.filter(placed)) {
      const [x, y] = toScreen(row.x_px, row.y_px);
      node(layer, 'path', { d: `M${x - 5} ${y}l5 -5l5 5l-5 5z`, class: 'other' });
    }
  }
}

function drawRuler(layer) {
  if (!state.ruler) return;
  const { from, to } = state.ruler;
  const ends = [from, to].filter(Boolean).map((point) => toScreen(...point));
  for (const end of ends) circle(layer, end, 6, 'ruler-end');
  if (ends.length === 2) line(layer, ...ends, 'ruler');
}

// A landmark that has no place is where it would lie in a usual head, faintly.
export function placeOf(mark, k) {
  if (placed(mark)) return [mark.x_px, mark.y_px];
  return mark.visible ? state.film.suggested[k] : null;
}

function drawMark(layer, mark, k) {
  const place = placeOf(mark, k);
  if (!place) return;
  const at = toScreen(...place);
  const chosen = state.selected === k;
  const kind = !placed(mark) ? 'suggested' : byPerson(mark) ? 'mine' : state.film.doubtful[k] ? 'doubtful' : 'found';
  const group = node(layer, 'g', { class: `mark ${kind}${chosen ? ' selected' : ''}`, 'data-landmark': mark.landmark });
  const { found, expected_mm: expected } = state.film;
  const mm = spacing();
  if (state.shows.ghosts && found[k] && placed(mark)) {
    const ghost = toScreen(...found[k]);
    if (Math.hypot(ghost[0] - at[0], ghost[1] - at[1]) > 3) {
      line(group, ghost, at, 'way');
      circle(group, ghost, 4.5, 'ghost');
    }
  }
  if (state.shows.rings && mm && expected[k] !== null && placed(mark) && !byPerson(mark)) {
    circle(group, at, (expected[k] / mm) * view.scale, 'ring');
  }
  if (chosen) {
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      line(group, [at[0] + dx * 9, at[1] + dy * 9], [at[0] + dx * 18, at[1] + dy * 18], 'cross');
    }
  }
  const radius = chosen ? 6.5 : 4.5;
  circle(group, at, radius, 'rim');
  circle(group, at, radius, 'body');
  circle(group, at, 1.2, 'core');
  if (state.shows.names || chosen) {
    node(group, 'text', { x: at[0] + radius + 4, y: at[1] - 5 }).textContent = mark.landmark;
  }
}

function draw() {
  waiting = false;
  svg.replaceChildren();
  if (!state.film || !state.picture) return;
  const list = marks();
  if (state.shows.lines) drawTraces(svg);
  drawOthers(svg);
  list.forEach((mark, k) => k !== state.selected && drawMark(svg, mark, k));
  if (state.selected !== null) drawMark(svg, list[state.selected], state.selected);
  drawRuler(svg);
}

function redraw() {
  if (!waiting) {
    waiting = true;
    requestAnimationFrame(draw);
  }
}

export function hideMarks(hidden) {
  svg.classList.toggle('bare', hidden);
}

hear('film marks select view traces others', redraw);
