// The measurements of the chosen analysis. The package takes them; the page only shows what it answers.

import { send } from './server.js';
import { state, tell, hear, find } from './state.js';
import { marks, spacing, byPerson, placed } from './marks.js';

const NAMESPACE = 'http://www.w3.org/2000/svg';
const BAR_SD = 3;
const box = find('values');
let asking = false;
let again = false;
let shownFor = '';

function question() {
  const list = marks();
  return {
    analysis: find('analysis').value,
    points: list.map((mark) => (placed(mark) ? [mark.x_px, mark.y_px] : null)),
    expected_mm: list.map((mark, k) => (byPerson(mark) || state.drag?.index === k ? null : state.film.expected_mm[k])),
    doubtful: list.map((mark, k) => !byPerson(mark) && state.film.doubtful[k]),
    spacing_mm: spacing(),
    sex: find('sex').value || null,
    age: find('age').value === '' ? null : Number(find('age').value),
  };
}

// One question at a time: while a landmark is dragged only the latest place counts.
async function measure() {
  if (!state.film || !find('analysis').value) {
    box.replaceChildren();
    return;
  }
  if (asking) {
    again = true;
    return;
  }
  const asked = question();
  const { film } = state;
  const text = JSON.stringify([film.number, asked]);
  if (text === shownFor) return;
  asking = true;
  again = false;
  try {
    const answer = await send('/api/values', asked);
    if (state.film?.number === film.number) {
      shownFor = text;
      show(answer);
    }
  } catch (error) {
    if (error.status) box.replaceChildren(Object.assign(document.createElement('p'), { className: 'soft', textContent: error.message }));
  }
  asking = false;
  if (again) measure();
}

function part(className, text) {
  return Object.assign(document.createElement('div'), { className, textContent: text });
}

// How far a value lies from its norm, in standard deviations.
function scale(deviation) {
  const svg = document.createElementNS(NAMESPACE, 'svg');
  svg.setAttribute('class', 'scale');
  svg.setAttribute('viewBox', '-3 0 6 1');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  const at = Math.min(Math.max(deviation, -BAR_SD), BAR_SD);
  for (const [x, width, name] of [[-3, 6, 'ground'], [-1, 2, 'usual'], [at - 0.07, 0.14, 'needle']]) {
    const bar = document.createElementNS(NAMESPACE, 'rect');
    for (const [key, value] of Object.entries({ x, y: 0, width, height: 1, class: name })) bar.setAttribute(key, value);
    svg.append(bar);
  }
  return svg;
}

function row(one) {
  const made = part('value', '');
  made.dataset.name = one.name;
  made.title = one.definition;
  if (!one.normal || Math.abs(one.deviation_sd || 0) > 1) made.classList.add('beyond');
  if (one.flagged) made.classList.add('flagged');
  const value = part('how-much', one.why_not ? one.why_not : one.value);
  if (one.why_not) value.className = 'off';
  else if (one.error) value.append(' ', Object.assign(document.createElement('span'), { className: 'error', textContent: one.error }));
  made.append(part('what', one.title), value);
  if (!one.why_not && (one.norm || one.class)) {
    const words = [one.deviation && `${one.deviation} SD`, one.class].filter(Boolean).join(', ');
    made.append(part('norm', one.norm ? `norm ${one.norm}` : ''), part('off', words));
    if (one.deviation_sd !== null) made.append(scale(one.deviation_sd));
  }
  return made;
}

function show(answer) {
  const parts = [];
  for (const group of answer.groups) {
    if (answer.groups.length > 1) parts.push(Object.assign(document.createElement('h3'), { textContent: group.title }));
    parts.push(...group.rows.map(row));
  }
  const source = Object.assign(document.createElement('p'), { className: 'soft small', textContent: answer.source });
  box.replaceChildren(...parts, source);
  state.traces = answer.lines;
  tell('traces');
}

export function listAnalyses() {
  const { analyses } = state.about;
  find('analysis').replaceChildren(...analyses.map(({ name, title }) => new Option(title, name)));
  if (!analyses.length) box.replaceChildren(part('soft', 'These landmarks allow no analysis.'));
}

for (const id of ['analysis', 'sex', 'age']) find(id).addEventListener('change', measure);
hear('film', () => {
  shownFor = '';
});
hear('film marks', measure);
