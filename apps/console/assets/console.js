import { texts } from './texts.js';

const historySteps = 150;
const svgSpace = 'http://www.w3.org/2000/svg';
const byId = (id) => document.getElementById(id);

/** An element with attributes and children; text only ever becomes text, never markup. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function svg(name, attributes) {
  const made = document.createElementNS(svgSpace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function number(value) {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: digits }).format(
    value,
  );
}

function rate(traffic) {
  return traffic === null ? null : texts.perSecond(number(traffic.perSecond));
}

function share(traffic) {
  if (traffic === null || traffic.errorShare === null) return null;
  const percent = traffic.errorShare * 100;
  return `${percent > 0 && percent < 0.1 ? '<0.1' : number(percent)} %`;
}

function milliseconds(value) {
  if (value === null || value === undefined) return null;
  return value >= 1000 ? `${number(value / 1000)} s` : `${number(value)} ms`;
}

function age(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

/** A measured value, or the words for "not measured". */
function fill(target, value, isBad = false) {
  target.textContent = value ?? texts.noData;
  target.classList.toggle('none', value === null || value === undefined);
  target.classList.toggle('bad', isBad);
}

// Each column: its key in the texts and when it is shown. `wide`: not on a phone.
const columns = [
  ['instance', ''],
  ['state', 'wide'],
  ['zone', 'wide'],
  ['version', 'wide'],
  ['heartbeat', 'number wide'],
  ['history', ''],
  ['rate', 'number'],
  ['errorShare', 'number'],
  ['p50', 'number wide'],
  ['p95', 'number'],
  ['cpu', 'number wide'],
  ['memory', 'number wide'],
];

// Kept from one overview to the next, so that the page does not flicker and keeps its scroll position.
const groups = new Map();

function show(overview) {
  byId('footnote').textContent = texts.footnote(overview.everyMs / 1000);
  byId('legend').textContent = texts.legend(Math.round((historySteps * overview.everyMs) / 60000));
  showTotals(overview);
  showAttention(overview);
  showServices(overview);
}

function showTotals({ services }) {
  const measured = services.map(({ traffic }) => traffic).filter((traffic) => traffic !== null);
  const perSecond = measured.reduce((sum, traffic) => sum + traffic.perSecond, 0);
  const errors = measured.reduce((sum, traffic) => sum + traffic.perSecond * (traffic.errorShare ?? 0), 0);
  const hasTraffic = measured.length > 0;
  byId('total-services').textContent = number(services.length);
  byId('total-instances').textContent = number(
    services.reduce((sum, { instances }) => sum + instances.length, 0),
  );
  fill(byId('total-rate'), hasTraffic ? texts.perSecond(number(perSecond)) : null);
  const errorShare = perSecond > 0 ? errors / perSecond : null;
  fill(byId('total-errors'), share({ errorShare }), errorShare >= 0.05);
}

function showAttention({ attention, timeMs }) {
  const items = attention.map((item) =>
    element(
      'li',
      { 'data-level': item.level },
      element('span', { class: 'level' }, texts.levels[item.level]),
      element('span', {}, element('strong', {}, item.service), ` ${texts.alerts[item.kind](item)}`),
      element(
        'time',
        { datetime: new Date(item.sinceMs).toISOString() },
        texts.ago(age(timeMs - item.sinceMs)),
      ),
    ),
  );
  const nothing = element('li', { 'data-level': 'none' }, texts.nothingWrong);
  byId('attention').replaceChildren(...(items.length > 0 ? items : [nothing]));
}

function showServices({ services, attention }) {
  const levels = new Map();
  for (const { service, level } of attention)
    if (levels.get(service) !== 'critical') levels.set(service, level);
  const names = new Set(services.map(({ name }) => name));
  for (const [name, group] of groups) {
    if (names.has(name)) continue;
    group.root.remove();
    groups.delete(name);
  }
  byId('empty').hidden = services.length > 0;
  byId('services').hidden = services.length === 0;
  const table = byId('table');
  services.forEach((service, at) => {
    const group = groups.get(service.name) ?? newGroup(service.name);
    groups.set(service.name, group);
    group.root.dataset.level = levels.get(service.name) ?? 'none';
    if (table.tBodies[at] !== group.root) table.insertBefore(group.root, table.tBodies[at] ?? null);
    fillGroup(group, service);
  });
}

/** One measured value. Where there is none a dash stands; the rate, which every row has, says it in words. */
function cell(className, value, isBad = false) {
  const made = element('td', className === '' ? {} : { class: className });
  fill(made, value, isBad);
  if (value === null || value === undefined) {
    made.textContent = texts.noDataShort;
    made.title = texts.noData;
  }
  return made;
}

function rateCell(traffic) {
  const made = element('td', { class: 'number' });
  fill(made, rate(traffic));
  return made;
}

function blank(className) {
  return element('td', { class: className });
}

function newGroup(name) {
  const chart = svg('svg', {
    class: 'chart',
    viewBox: '0 0 150 46',
    preserveAspectRatio: 'none',
    role: 'img',
  });
  return { root: element('tbody', { 'data-service': name }), chart };
}

function fillGroup({ root, chart }, service) {
  drawChart(chart, service.name, service.history);
  root.replaceChildren(
    serviceRow(service, chart),
    ...service.instances.map((instance) => instanceRow(service.name, instance)),
  );
}

function serviceRow({ name, traffic, instances }, chart) {
  const running = instances.filter((instance) => stateOf(instance) === 'running').length;
  return element(
    'tr',
    { class: 'service' },
    element('th', { scope: 'rowgroup' }, name),
    element('td', { class: 'count wide' }, texts.count(running, instances.length)),
    blank('wide'),
    blank('wide'),
    blank('wide'),
    element('td', {}, chart),
    rateCell(traffic),
    cell('number', share(traffic), (traffic?.errorShare ?? 0) >= 0.05),
    cell('number wide', milliseconds(traffic?.p50Ms)),
    cell('number', milliseconds(traffic?.p95Ms)),
    blank('wide'),
    blank('wide'),
  );
}

function stateOf({ state, metrics }) {
  return metrics === 'unreachable' ? 'unreachable' : state;
}

function instanceRow(service, instance) {
  const { traffic, cpuCores, residentBytes, heartbeatAgeMs } = instance;
  const state = stateOf(instance);
  const stateMark = (className) =>
    element('span', { class: `state ${className}`, 'data-state': state }, texts.states[state]);
  // On a phone only what tells the instances apart.
  const prefix = instance.id.startsWith(service) ? service.length : 0;
  const id = element(
    'td',
    { class: 'id', title: instance.address },
    element('span', { class: 'prefix' }, instance.id.slice(0, prefix)),
    instance.id.slice(prefix),
  );
  if (state !== 'running') id.append(stateMark('narrow'));
  return element(
    'tr',
    { 'data-instance': instance.id },
    id,
    element('td', { class: 'wide' }, stateMark('')),
    cell('wide', instance.zone),
    cell('wide', instance.version === '' ? '–' : instance.version),
    cell('number wide', heartbeatAgeMs === null ? null : texts.ago(age(heartbeatAgeMs))),
    blank(''),
    rateCell(traffic),
    cell('number', share(traffic), (traffic?.errorShare ?? 0) >= 0.05),
    cell('number wide', milliseconds(traffic?.p50Ms)),
    cell('number', milliseconds(traffic?.p95Ms)),
    cell('number wide', cpuCores === null ? null : `${number(cpuCores * 100)} %`),
    cell('number wide', residentBytes === null ? null : `${number(residentBytes / 1048576)} MB`),
  );
}

/** Newest at the right edge. Where nothing was measured there is a gap, not a zero. */
function drawChart(chart, name, { perSecond, errors }) {
  const known = perSecond.filter((value) => value !== null);
  const peak = Math.max(...known, 0);
  const scale = peak > 0 ? 40 / peak : 0;
  const at = (index) => 150 - (perSecond.length - 1 - index);
  const runs = (values) => {
    const all = [[]];
    values.forEach((value, index) => {
      if (value === null) all.push([]);
      else all.at(-1).push(`${at(index)},${(44 - value * scale).toFixed(1)}`);
    });
    return all.filter((run) => run.length > 1);
  };
  const parts = [svg('line', { class: 'base', x1: 0, x2: 150, y1: 45, y2: 45 })];
  for (const run of runs(perSecond)) {
    const first = run[0].split(',')[0];
    const last = run.at(-1).split(',')[0];
    parts.push(svg('polygon', { class: 'area', points: `${first},45 ${run.join(' ')} ${last},45` }));
    parts.push(svg('polyline', { class: 'line', points: run.join(' ') }));
  }
  if (errors.some((value) => value !== null && value > 0)) {
    for (const run of runs(errors)) parts.push(svg('polyline', { class: 'failed', points: run.join(' ') }));
  }
  const now = perSecond.at(-1);
  const told = (value) => (value === null || value === undefined ? texts.noData : number(value));
  chart.setAttribute('aria-label', texts.chart(name, told(now), told(known.length > 0 ? peak : null)));
  chart.replaceChildren(...parts);
}

function showConnection(state) {
  byId('connection').dataset.state = state;
  byId('connection-text').textContent = texts[state];
}

function translate() {
  byId('empty').textContent = texts.noServices;
  byId('heads').replaceChildren(
    ...columns.map(([key, className]) => element('th', { scope: 'col', class: className }, texts[key])),
  );
  for (const each of document.querySelectorAll('[data-text]')) each.textContent = texts[each.dataset.text];
  for (const each of document.querySelectorAll('[data-label]')) {
    each.setAttribute('aria-label', texts[each.dataset.label]);
  }
}

translate();
showConnection('connecting');
// The browser reconnects by itself when the stream breaks.
const events = new EventSource('/api/events');
events.addEventListener('overview', (event) => {
  showConnection('live');
  show(JSON.parse(event.data));
});
events.addEventListener('error', () => showConnection('lost'));
