'use strict';
// Everything from the data is set as text, never as markup: it was chosen by programs in VMs.
const data = JSON.parse(document.getElementById('data').textContent);
const map = document.getElementById('map');
const about = document.getElementById('about');
const filter = document.getElementById('filter');
const onlyRefused = document.getElementById('only-refused');
const whole = map.getAttribute('viewBox').split(' ').map(Number);
let box = whole.slice();

const show = () => map.setAttribute('viewBox', box.join(' '));
const scale = () => {
  const rect = map.getBoundingClientRect();
  return Math.max(box[2] / rect.width, box[3] / rect.height);
};

map.addEventListener('wheel', event => {
  event.preventDefault();
  const rect = map.getBoundingClientRect();
  const by = Math.exp(event.deltaY * 0.0015);
  const x = (event.clientX - rect.left) / rect.width, y = (event.clientY - rect.top) / rect.height;
  box[0] += box[2] * x * (1 - by);
  box[1] += box[3] * y * (1 - by);
  box[2] *= by;
  box[3] *= by;
  show();
}, { passive: false });

let from = null;
map.addEventListener('pointerdown', event => { from = [event.clientX, event.clientY]; });
window.addEventListener('pointerup', () => { from = null; });
window.addEventListener('pointermove', event => {
  if (!from) return;
  const by = scale();
  box[0] -= (event.clientX - from[0]) * by;
  box[1] -= (event.clientY - from[1]) * by;
  from = [event.clientX, event.clientY];
  show();
});
document.getElementById('whole').addEventListener('click', () => { box = whole.slice(); show(); });

const make = (kind, text, to) => {
  const element = document.createElement(kind);
  if (text !== undefined) element.textContent = text;
  if (to) to.appendChild(element);
  return element;
};
const visible = text => String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');

const channels = [...new Set(data.edges.flatMap(edge => edge.talks.map(talk => talk.channel)))].sort();
const boxes = new Map(channels.map(channel => {
  const label = make('label', undefined, document.getElementById('channels'));
  const input = make('input', undefined, label);
  input.type = 'checkbox';
  input.checked = true;
  make('span', ' ' + channel, label);
  input.addEventListener('change', apply);
  return [channel, input];
}));

const edges = new Map([...map.querySelectorAll('[data-edge]')].map(g => [Number(g.dataset.edge), g]));
const nodes = new Map([...map.querySelectorAll('[data-node]')].map(g => [Number(g.dataset.node), g]));
for (const g of edges.values()) {
  // A wider line is easier to hit.
  const wide = g.querySelector('path').cloneNode();
  wide.setAttribute('class', 'wide');
  wide.removeAttribute('marker-end');
  g.insertBefore(wide, g.firstChild);
}

const has = (text, part) => text.toLowerCase().includes(part);
const talks = (edge, part) => edge.talks.filter(talk => boxes.get(talk.channel).checked && (
  !part || has(talk.name, part) || has(data.nodes[edge.from].title, part) || has(data.nodes[edge.to].title, part)));

function apply() {
  const part = filter.value.trim().toLowerCase();
  const all = [...boxes.values()].every(input => input.checked) && !part && !onlyRefused.checked;
  const seen = new Set();
  let count = 0;
  data.edges.forEach((edge, number) => {
    const keeps = (!onlyRefused.checked || edge.refused) && talks(edge, part).length > 0;
    edges.get(number).classList.toggle('dim', !keeps);
    if (keeps) { count++; seen.add(edge.from); seen.add(edge.to); }
  });
  data.nodes.forEach((node, number) => {
    const keeps = all || seen.has(number) || (part && has(node.title, part));
    nodes.get(number).classList.toggle('dim', !keeps);
  });
  document.getElementById('count').textContent = count + ' of ' + data.edges.length + ' lines';
  document.body.dataset.lines = count;
}

const title = node => visible(node.title) + (node.more ? ' (' + visible(node.more) + ')' : '');

function tell(heading, rows) {
  about.replaceChildren();
  make('h2', heading, about);
  const table = make('table', undefined, about);
  const head = make('tr', undefined, table);
  for (const text of ['channel', 'name', 'verdict', 'events', 'last']) make('th', text, head);
  for (const [talk, other] of rows) {
    const row = make('tr', undefined, table);
    make('td', talk.channel, row);
    make('td', visible(talk.name) + (other ? ' — ' + other : ''), row);
    const verdict = make('td', talk.verdict, row);
    if (['refused', 'absent'].includes(talk.verdict)) verdict.className = 'bad';
    make('td', talk.count, row);
    const last = make('td', undefined, row);
    for (const text of [talk.call, '0x' + talk.status.toString(16).padStart(8, '0'), 'event ' + talk.last]) make('div', text, last);
  }
}

function choose(kind, number) {
  for (const g of map.querySelectorAll('.chosen')) g.classList.remove('chosen');
  if (kind === 'edge' && data.edges[number]) {
    const edge = data.edges[number];
    edges.get(number).classList.add('chosen');
    tell(title(data.nodes[edge.from]) + ' → ' + title(data.nodes[edge.to]), edge.talks.map(talk => [talk]));
  } else if (kind === 'node' && data.nodes[number]) {
    const node = data.nodes[number];
    nodes.get(number).classList.add('chosen');
    const rows = data.edges.flatMap(edge => {
      if (edge.from === number) return edge.talks.map(talk => [talk, '→ ' + title(data.nodes[edge.to])]);
      if (edge.to === number) return edge.talks.map(talk => [talk, '← ' + title(data.nodes[edge.from])]);
      return [];
    });
    tell(title(node), rows);
    const counts = node.events + ' events, ' + node.shown + ' of files and keys of the host, ' + node.changed + ' of files and keys of the VM';
    if (node.kind === 'process') about.insertBefore(make('p', counts), about.children[1]);
    if (node.path) about.insertBefore(make('p', visible(node.path)), about.children[1]);
  } else {
    return;
  }
  document.body.dataset.chosen = kind + number;
}

map.addEventListener('click', event => {
  const g = event.target.closest('[data-edge], [data-node]');
  if (!g) return;
  if (g.dataset.edge) choose('edge', Number(g.dataset.edge));
  else choose('node', Number(g.dataset.node));
});
filter.addEventListener('input', apply);
onlyRefused.addEventListener('change', apply);

// A link can say what to show: #filter=pipe&refused&edge=3
for (const part of location.hash.slice(1).split('&')) {
  const [name, value] = part.split('=');
  if (name === 'filter') filter.value = decodeURIComponent(value || '');
  if (name === 'refused') onlyRefused.checked = true;
  if (name === 'edge' || name === 'node') choose(name, Number(value));
}
apply();
document.body.dataset.ready = data.nodes.length + ' nodes, ' + data.edges.length + ' edges';
