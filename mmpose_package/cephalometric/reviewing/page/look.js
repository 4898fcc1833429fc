// Brightness, contrast, negative, and what is drawn.

import { state, tell, say, find } from './state.js';

const RANGES = { brightness: [20, 300], contrast: [20, 400] };

export function changeLook(changes) {
  Object.assign(state.look, changes);
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    state.look[name] = Math.min(Math.max(state.look[name], least), most);
    find(name).value = state.look[name];
  }
  find('negative').checked = state.look.negative;
  if ('negative' in changes) say(state.look.negative ? 'Negative' : 'Positive');
  tell('view');
}

for (const name of Object.keys(RANGES)) {
  find(name).addEventListener('input', (event) => changeLook({ [name]: Number(event.target.value) }));
}
find('negative').addEventListener('change', (event) => changeLook({ negative: event.target.checked }));
find('plain-look').addEventListener('click', () => changeLook({ brightness: 100, contrast: 100, negative: false }));
for (const name of ['names', 'rings', 'ghosts', 'lines']) {
  find(`show-${name}`).addEventListener('change', (event) => {
    state.shows[name] = event.target.checked;
    tell('view');
  });
}
