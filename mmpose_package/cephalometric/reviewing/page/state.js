// What the page knows, and who is told when it changes. No part of the page calls another: all listen here.

export const state = {
  about: null, // landmarks, lines, analyses, reader
  rows: [], // the list: one entry for each film
  shown: [], // numbers of the films in the list, in its order
  film: null, // the open film as the server has it
  edits: null, // what was done to it and is not saved yet
  picture: null, // ImageBitmap
  selected: null, // position of a landmark
  tool: 'move', // or 'place' or 'ruler'
  drag: null, // {index, x, y} while a landmark is dragged
  ruler: null, // {from: [x, y], to: [x, y] or null}
  traces: [], // lines of the chosen analysis: x, y, x, y, role
  look: { brightness: 100, contrast: 100, negative: false },
  shows: { names: true, rings: true, ghosts: true, lines: true },
  otherReaders: new Set(),
};

const listeners = new EventTarget();

// film: another one; marks: landmarks of it; select; view: zoom, pan, look; list; saved; tool.
export function tell(...kinds) {
  for (const kind of kinds) listeners.dispatchEvent(new Event(kind));
}

export function hear(kinds, listener) {
  for (const kind of kinds.split(' ')) listeners.addEventListener(kind, listener);
}

export const find = (id) => document.getElementById(id);

let turn = 0;
export function say(words) {
  // A text that is said twice must differ, or it is not read aloud again.
  turn = 1 - turn;
  find('say').textContent = words + (turn ? '\u00a0' : '');
}

export function notice(words, { bad = false, answers = [], lasts = 0 } = {}) {
  const box = document.createElement('div');
  box.className = bad ? 'notice bad' : 'notice';
  box.setAttribute('role', 'alert');
  box.append(Object.assign(document.createElement('span'), { textContent: words }));
  for (const [label, action] of [...answers, ...(answers.length || lasts ? [] : [['Close', () => {}]])]) {
    const button = Object.assign(document.createElement('button'), { textContent: label });
    button.addEventListener('click', () => {
      box.remove();
      action();
    });
    box.append(button);
  }
  find('notices').append(box);
  if (lasts) setTimeout(() => box.remove(), lasts);
  return box;
}
