// Two points of known distance give the spacing, where the file has none or a wrong one.

import { state, tell, say, find, hear } from './state.js';
import { spacing } from './marks.js';
import { setSpacing } from './edits.js';
import { toPicture } from './view.js';

const form = find('ruler-form');
const stage = find('stage');
let cursor = null; // The end that the keys move.

export function setTool(tool) {
  state.tool = state.tool === tool ? 'move' : tool;
  if (state.tool === 'ruler') {
    state.ruler = null;
    say('Ruler: click two points whose distance you know; by keys, arrows move the point and Enter sets it');
  } else if (state.tool === 'place') {
    say('Place: each click places the next landmark');
  } else {
    state.ruler = null;
  }
  cursor = null;
  tell('tool', 'marks');
}

export function rulerAt(x, y) {
  if (!state.ruler || state.ruler.to) {
    state.ruler = { from: [x, y], to: null };
    say('Now the other end');
  } else {
    state.ruler = { ...state.ruler, to: [x, y] };
    say('Say the distance in millimetres');
  }
  tell('tool', 'marks');
  if (state.ruler.to) find('ruler-mm').focus();
}

// Without a mouse: the ruler's next end begins in the middle of what is seen.
export function rulerKey(dx, dy) {
  cursor ||= state.ruler?.from || toPicture(stage.clientWidth / 2, stage.clientHeight / 2);
  cursor = [cursor[0] + dx, cursor[1] + dy];
  state.ruler = state.ruler?.from && state.ruler.set ? { ...state.ruler, to: cursor, open: true } : { from: cursor, to: null };
  tell('marks');
}

export function rulerSet() {
  if (!cursor) rulerKey(0, 0);
  if (!state.ruler.set) {
    state.ruler = { from: cursor, to: null, set: true };
    say('Now the other end');
  } else {
    state.ruler = { ...state.ruler, to: cursor, open: false };
    tell('tool');
    say('Say the distance in millimetres');
    find('ruler-mm').focus();
  }
  tell('marks');
}

function length() {
  const { from, to } = state.ruler;
  return Math.hypot(to[0] - from[0], to[1] - from[1]);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const millimetres = Number(find('ruler-mm').value);
  if (!(millimetres > 0) || !(length() > 1)) return;
  const { from, to } = state.ruler;
  const mm = Number((millimetres / length()).toPrecision(6));
  setSpacing(mm, { from_px: from, to_px: to, length_mm: millimetres });
  say(`The spacing is ${mm} mm per pixel`);
  setTool('move');
  stage.focus();
});

find('spacing-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const mm = Number(find('spacing').value);
  if (mm >= 0.001 && mm <= 10) {
    setSpacing(mm);
    say(`The spacing is ${mm} mm per pixel`);
  }
});

const SOURCES = { file: 'from the file', ruler: 'by the ruler', reader: 'as typed' };

hear('film marks tool', () => {
  const mm = spacing();
  find('spacing-words').textContent = mm
    ? `${Number(mm.toPrecision(4))} mm per pixel, ${SOURCES[state.film?.spacing_from] || 'just set'}.`
    : 'Not known: there are no millimetres. Measure something of known length with the ruler, such as the scale on the film.';
  if (document.activeElement !== find('spacing')) find('spacing').value = mm ? Number(mm.toPrecision(6)) : '';
  form.hidden = !(state.tool === 'ruler' && state.ruler?.to && !state.ruler.open);
  for (const tool of ['place', 'ruler']) find(`tool-${tool}`).setAttribute('aria-pressed', state.tool === tool);
});
find('tool-place').addEventListener('click', () => setTool('place'));
find('tool-ruler').addEventListener('click', () => setTool('ruler'));
