// The X-ray on its canvas, and the magnifier at the pointer.

import { state, hear, find } from './state.js';
import { view, toScreen } from './view.js';

const canvas = find('picture');
const lens = find('magnifier');
const stage = find('stage');
const SIZE = 176;
const LEAST_ZOOM = 3; // Screen pixels of one pixel of the X-ray, in the magnifier.
const MOST_ZOOM = 6; // Unless the X-ray itself is shown larger.
let waiting = false;

function filter() {
  const { brightness, contrast, negative } = state.look;
  return `brightness(${brightness}%) contrast(${contrast}%)${negative ? ' invert(1)' : ''}`;
}

function draw() {
  waiting = false;
  const ratio = devicePixelRatio || 1;
  const [wide, high] = [Math.round(stage.clientWidth * ratio), Math.round(stage.clientHeight * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  canvas.style.filter = filter();
  const pen = canvas.getContext('2d');
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, wide, high);
  if (!state.picture) return;
  pen.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, ratio * view.x, ratio * view.y);
  pen.imageSmoothingEnabled = view.scale * ratio < 8;
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(state.picture, 0, 0);
}

export function redraw() {
  if (!waiting) {
    waiting = true;
    requestAnimationFrame(draw);
  }
}

// The magnifier stands beside the pointer, and on the other side where there is no room.
export function magnify(x, y) {
  if (!state.picture) return;
  const ratio = devicePixelRatio || 1;
  if (lens.width !== SIZE * ratio) Object.assign(lens, { width: SIZE * ratio, height: SIZE * ratio });
  const zoom = Math.max(LEAST_ZOOM, view.scale, Math.min(view.scale * 2.5, MOST_ZOOM));
  const pen = lens.getContext('2d');
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = '#000';
  pen.fillRect(0, 0, SIZE, SIZE);
  pen.save();
  pen.translate(SIZE / 2, SIZE / 2);
  pen.scale(zoom, zoom);
  pen.imageSmoothingEnabled = zoom < 8;
  pen.filter = filter();
  pen.drawImage(state.picture, -(x + 0.5), -(y + 0.5));
  pen.restore();
  for (const [colour, width] of [['#000', 3], ['#ffe08a', 1.6]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      pen.moveTo(SIZE / 2 + dx * 7, SIZE / 2 + dy * 7);
      pen.lineTo(SIZE / 2 + dx * 60, SIZE / 2 + dy * 60);
    }
    pen.stroke();
  }
  const [screenX, screenY] = toScreen(x, y);
  const gap = 28;
  const left = screenX + gap + SIZE > stage.clientWidth ? screenX - gap - SIZE : screenX + gap;
  const top = screenY - gap - SIZE < 0 ? screenY + gap : screenY - gap - SIZE;
  lens.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, top)}px)`;
  lens.dataset.zoom = zoom.toFixed(2);
  lens.hidden = false;
}

export function putMagnifierAway() {
  lens.hidden = true;
}

hear('view picture film', redraw);
hear('view', () => {
  find('zoom').textContent = `${Math.round(view.scale * 100)} %`;
});
