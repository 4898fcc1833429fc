'use strict';

// Tables: a click on a heading sorts by it, a second click the other way round. Cells without a value stay last.
for (const table of document.querySelectorAll('table.sortable')) {
  const headings = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headings.forEach((heading, column) => heading.querySelector('button').addEventListener('click', () => {
    const direction = heading.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
    const value = row => row.cells[column].dataset.value;
    const compare = (a, b) => {
      if (value(a) === '' || value(b) === '') return (value(a) === '') - (value(b) === '');
      const number = Number(value(a)) - Number(value(b));
      return direction * (Number.isNaN(number) ? value(a).localeCompare(value(b), undefined, { numeric: true }) : number);
    };
    body.append(...[...body.rows].sort(compare));
    for (const other of headings) other.setAttribute('aria-sort', 'none');
    heading.setAttribute('aria-sort', direction === 1 ? 'ascending' : 'descending');
  }));
}

// On paper nobody can open what explains the numbers.
addEventListener('beforeprint', () => {
  for (const explanation of document.querySelectorAll('.explanation')) explanation.open = true;
});

// X-rays: the view is the part of the picture that the viewBox shows, in pixels of the original image.
const LARGEST_ZOOM = 20;
let lastScroll = 0;
addEventListener('scroll', () => { lastScroll = performance.now(); }, { passive: true });

class Viewer {
  constructor(element) {
    this.svg = element.querySelector('svg');
    const { x, y, width, height } = this.svg.viewBox.baseVal;
    this.whole = { x, y, width, height };
    this.view = { ...this.whole };
    this.pointers = new Map();
    for (const box of element.querySelectorAll('input[data-layer]')) {
      const layer = this.svg.querySelectorAll(`.${box.dataset.layer}`);
      const apply = () => layer.forEach(part => { part.style.display = box.checked ? '' : 'none'; });
      box.addEventListener('change', apply);
      apply();
    }
    element.querySelector('.in').addEventListener('click', () => this.zoom(1.5));
    element.querySelector('.out').addEventListener('click', () => this.zoom(1 / 1.5));
    element.querySelector('.reset').addEventListener('click', () => this.reset());
    this.svg.addEventListener('keydown', event => this.key(event));
    this.svg.addEventListener('wheel', event => this.wheel(event), { passive: false });
    this.svg.addEventListener('dblclick', event => this.zoom(2, this.place(event)));
    this.svg.addEventListener('pointerdown', event => this.press(event));
    this.svg.addEventListener('pointermove', event => this.drag(event));
    for (const end of ['pointerup', 'pointercancel']) {
      this.svg.addEventListener(end, event => this.pointers.delete(event.pointerId));
    }
    new ResizeObserver(() => this.show()).observe(this.svg);
  }

  get scale() { return this.whole.width / this.view.width; }

  // Where an event lies in the image.
  place(event) {
    const frame = this.svg.getBoundingClientRect();
    return {
      x: this.view.x + (event.clientX - frame.left) / frame.width * this.view.width,
      y: this.view.y + (event.clientY - frame.top) / frame.height * this.view.height,
    };
  }

  show() {
    const { whole, view } = this;
    view.x = Math.min(Math.max(view.x, whole.x), whole.x + whole.width - view.width);
    view.y = Math.min(Math.max(view.y, whole.y), whole.y + whole.height - view.height);
    this.svg.setAttribute('viewBox', `${view.x} ${view.y} ${view.width} ${view.height}`);
    this.svg.style.setProperty('--unit', view.width / this.svg.clientWidth);
    this.svg.classList.toggle('zoomed', this.scale > 1.001);
  }

  // The place given stays where it is on the screen.
  zoom(factor, place = { x: this.view.x + this.view.width / 2, y: this.view.y + this.view.height / 2 }) {
    const scale = Math.min(Math.max(this.scale * factor, 1), LARGEST_ZOOM);
    const shrink = this.scale / scale;
    this.view = {
      x: place.x - (place.x - this.view.x) * shrink,
      y: place.y - (place.y - this.view.y) * shrink,
      width: this.whole.width / scale,
      height: this.whole.height / scale,
    };
    this.show();
  }

  move(dx, dy) {
    this.view.x += dx;
    this.view.y += dy;
    this.show();
  }

  reset() {
    this.view = { ...this.whole };
    this.show();
  }

  key(event) {
    const step = this.view.width / 8;
    const actions = {
      '+': () => this.zoom(1.5), '=': () => this.zoom(1.5), '-': () => this.zoom(1 / 1.5), 0: () => this.reset(),
      ArrowLeft: () => this.move(-step, 0), ArrowRight: () => this.move(step, 0),
      ArrowUp: () => this.move(0, -step), ArrowDown: () => this.move(0, step),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
    actions[event.key]();
    event.preventDefault();
  }

  // Who scrolls through the page must not get caught by a picture that comes under the pointer.
  wheel(event) {
    const scrolling = performance.now() - lastScroll < 300 && !event.ctrlKey;
    if (scrolling || (event.deltaY > 0 && this.scale <= 1.001)) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), this.place(event));
  }

  press(event) {
    if (event.pointerType === 'mouse' && event.button !== 0) return;
    this.pointers.set(event.pointerId, event);
    if (event.pointerType !== 'touch' || this.scale > 1.001) this.svg.setPointerCapture(event.pointerId);
  }

  // One finger or the mouse moves the picture, two fingers zoom.
  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const others = [...this.pointers.values()].filter(other => other.pointerId !== event.pointerId);
    if (others.length) {
      const distance = end => Math.hypot(end.clientX - others[0].clientX, end.clientY - others[0].clientY);
      this.zoom(distance(event) / Math.max(distance(before), 1), this.place(others[0]));
    } else if (this.scale > 1.001) {
      const from = this.place(before);
      const to = this.place(event);
      this.move(from.x - to.x, from.y - to.y);
    }
    this.pointers.set(event.pointerId, event);
  }
}

for (const element of document.querySelectorAll('.viewer')) new Viewer(element);
