// Everything by keyboard. Keys count on the whole page, except while one types; Tab and Enter only on the X-ray.

import { state, tell, find, say } from './state.js';
import { marks, placed, spacing } from './marks.js';
import * as edits from './edits.js';
import * as choosing from './choosing.js';
import { step as stepFilm } from './films.js';
import { placeOf, hideMarks } from './overlay.js';
import { fit, panBy, zoomBy, reveal, toPicture } from './view.js';
import { magnify, putMagnifierAway } from './picture.js';
import { rulerKey, rulerSet, setTool } from './ruler.js';
import { changeLook } from './look.js';

const stage = find('stage');
const help = find('help');
const STEP_MM = 0.1;
const STEP_PX = 0.5; // Where the spacing is not known.
const PAN_PX = 60;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PANS = { w: [0, 1], a: [1, 0], s: [0, -1], d: [-1, 0] };

// While an arrow key is held the landmark is as if dragged; it is one edit when the key is let go.
function nudge([dx, dy], far) {
  const k = state.selected;
  if (k === null || !state.film) return;
  const mark = marks()[k];
  // What has no place at all begins in the middle of what is seen.
  const middle = () => toPicture(stage.clientWidth / 2, stage.clientHeight / 2);
  const place = state.drag ? [state.drag.x, state.drag.y] : placeOf(mark, k) || middle();
  const mm = spacing();
  const step = (mm ? STEP_MM / mm : STEP_PX) * (far ? 10 : 1);
  const inside = (value, size) => Math.min(Math.max(value, 0), size - 1);
  const [x, y] = [inside(place[0] + dx * step, state.film.width), inside(place[1] + dy * step, state.film.height)];
  state.drag = { index: k, x, y };
  reveal(x, y);
  magnify(x, y);
  tell('marks');
}

function endNudge() {
  if (!state.drag || stage.dataset.busy === 'drag') return;
  const { index, x, y } = state.drag;
  state.drag = null;
  putMagnifierAway();
  edits.move(index, x, y);
  say(`${state.about.landmarks[index].short} moved`);
}

function onStage(event) {
  const { key, shiftKey } = event;
  if (key === 'Tab') return choosing.selectNext(shiftKey ? -1 : 1);
  if (key === 'Enter' && !shiftKey) {
    if (state.tool === 'ruler') rulerSet();
    else choosing.confirmSelected();
    return true;
  }
  if (key === ' ') {
    hideMarks(true);
    return true;
  }
  if (key in ARROWS) {
    if (state.tool === 'ruler') rulerKey(...ARROWS[key].map((one) => one * (shiftKey ? 20 : 2)));
    else nudge(ARROWS[key], shiftKey);
    return true;
  }
  return false;
}

const EVERYWHERE = {
  PageUp: () => stepFilm(-1),
  PageDown: () => stepFilm(1),
  Delete: choosing.hideSelected,
  Backspace: choosing.resetSelected,
  ',': () => choosing.selectBeside(-1),
  '.': () => choosing.selectBeside(1),
  '+': () => zoomBy(1.25),
  '=': () => zoomBy(1.25),
  '-': () => zoomBy(0.8),
  0: fit,
  z: choosing.zoomToSelected,
  p: () => setTool('place'),
  r: () => setTool('ruler'),
  i: () => changeLook({ negative: !state.look.negative }),
  '[': () => changeLook({ brightness: state.look.brightness - 10 }),
  ']': () => changeLook({ brightness: state.look.brightness + 10 }),
  '{': () => changeLook({ contrast: state.look.contrast - 10 }),
  '}': () => changeLook({ contrast: state.look.contrast + 10 }),
  f: () => {
    document.dispatchEvent(new Event('show-list'));
    find('search').focus();
  },
  '?': () => help.showModal(),
};

function escape() {
  if (state.tool !== 'move') setTool(state.tool);
  else if (document.activeElement === stage) find('confirm').focus();
  else stage.focus();
}

document.addEventListener('keydown', (event) => {
  if (help.open) return;
  const { key, target } = event;
  const command = event.ctrlKey || event.metaKey;
  const typing = target.matches('input:not([type=checkbox], [type=range]), select');
  let done = false;
  if (command && key.toLowerCase() === 'z' && !typing) done = edits.step(event.shiftKey ? 'redo' : 'undo') || true;
  else if (command && key.toLowerCase() === 'y' && !typing) done = edits.step('redo') || true;
  else if (command || event.altKey || event.isComposing) return;
  else if (key === 'Escape') done = escape() || true;
  else if (typing) return;
  else if (key === 'Enter' && event.shiftKey) done = choosing.confirmFilm() || true;
  else if (target === stage && onStage(event)) done = true;
  else if (key !== 'Tab' && key in PANS) done = panBy(...PANS[key].map((one) => one * PAN_PX)) || true;
  else if (key in EVERYWHERE && !(target.closest('#list') && key.startsWith('Page'))) done = EVERYWHERE[key]() || true;
  if (done) event.preventDefault();
});

document.addEventListener('keyup', (event) => {
  if (event.key in ARROWS || event.key === 'Shift') endNudge();
  if (event.key === ' ') hideMarks(false);
});
stage.addEventListener('blur', () => {
  endNudge();
  hideMarks(false);
});

find('open-help').addEventListener('click', () => help.showModal());
for (const [id, action] of [
  ['undo', () => edits.step('undo')],
  ['redo', () => edits.step('redo')],
  ['previous', () => stepFilm(-1)],
  ['next', () => stepFilm(1)],
  ['zoom-in', () => zoomBy(1.25)],
  ['zoom-out', () => zoomBy(0.8)],
  ['fit', fit],
  ['confirm', choosing.confirmSelected],
  ['hide', choosing.hideSelected],
  ['reset', choosing.resetSelected],
  ['confirm-film', choosing.confirmFilm],
]) {
  find(id).addEventListener('click', action);
}
