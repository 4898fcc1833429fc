// Beside the X-ray: the chosen landmark, and all of them.

import { state, hear, find } from './state.js';
import { marks, markWords, statusWords, spacing, byPerson, placed, toDo } from './marks.js';
import { select } from './choosing.js';

const chips = find('chips');

function kindOf(mark, k) {
  if (byPerson(mark)) return 'mine';
  if (!placed(mark)) return 'none';
  return state.film.doubtful[k] ? 'doubtful' : 'found';
}

function facts(mark, k) {
  const rows = [];
  const mm = spacing();
  const { expected_mm: expected, found } = state.film;
  if (placed(mark)) rows.push(['Place', `${mark.x_px.toFixed(1)}, ${mark.y_px.toFixed(1)} px`]);
  if (expected[k] !== null) rows.push(['Expected error', `${expected[k].toFixed(1)} mm`]);
  if (found[k] && placed(mark)) {
    const far = Math.hypot(mark.x_px - found[k][0], mark.y_px - found[k][1]);
    if (far > 0.005) rows.push(['From the model', mm ? `${(far * mm).toFixed(1)} mm` : `${far.toFixed(1)} px`]);
  }
  return rows;
}

function drawLandmark() {
  const k = state.selected;
  for (const id of ['confirm', 'hide', 'reset', 'confirm-film']) find(id).disabled = !state.film || k === null;
  if (!state.film || k === null) {
    find('landmark-title').textContent = 'Landmark';
    for (const id of ['landmark-status', 'landmark-definition', 'landmark-facts']) find(id).replaceChildren();
    return;
  }
  const mark = marks()[k];
  const { name, short, definition, group } = state.about.landmarks[k];
  find('landmark-title').textContent = `${name} (${short})`;
  find('landmark-status').className = `status ${kindOf(mark, k)}`;
  find('landmark-status').textContent = statusWords(mark, k);
  find('landmark-definition').textContent = definition || (group === 'landmark' ? '' : group);
  find('landmark-facts').replaceChildren(
    ...facts(mark, k).flatMap(([term, words]) => [
      Object.assign(document.createElement('dt'), { textContent: term }),
      Object.assign(document.createElement('dd'), { textContent: words }),
    ]),
  );
}

function makeChips() {
  chips.replaceChildren(
    ...state.about.landmarks.map(({ short }, k) => {
      const chip = Object.assign(document.createElement('button'), { textContent: short, type: 'button' });
      chip.addEventListener('click', () => select(k));
      return chip;
    }),
  );
}

function drawChips() {
  if (!state.film) {
    find('progress').textContent = '';
    chips.replaceChildren();
    return;
  }
  if (chips.children.length !== state.about.landmarks.length) makeChips();
  const list = marks();
  list.forEach((mark, k) => {
    const chip = chips.children[k];
    chip.className = `chip ${kindOf(mark, k)}${mark.visible ? '' : ' hidden-one'}`;
    chip.setAttribute('aria-pressed', state.selected === k);
    chip.setAttribute('aria-label', markWords(mark, k));
    chip.title = markWords(mark, k);
  });
  const done = list.filter(byPerson).length;
  const left = toDo(list).filter(Boolean).length;
  find('progress').textContent = `${done} of ${list.length} done${left ? `, ${left} to look at` : ''}`;
}

function drawOthers() {
  const others = state.film ? state.film.others : [];
  find('others').hidden = others.length === 0;
  find('other-readers').replaceChildren(
    ...others.map((other) => {
      const label = document.createElement('label');
      const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked: state.otherReaders.has(other.reader) });
      box.addEventListener('change', () => {
        if (box.checked) state.otherReaders.add(other.reader);
        else state.otherReaders.delete(other.reader);
        document.dispatchEvent(new Event('others-shown'));
      });
      const done = other.landmarks.filter(byPerson).length;
      label.append(box, ` ${other.reader}: ${done} of ${other.landmarks.length}`);
      return label;
    }),
  );
}

hear('film marks select', drawLandmark);
hear('film marks select', drawChips);
hear('film others', drawOthers);
