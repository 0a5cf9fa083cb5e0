// steps.js: the steps of a run, each with its bar on one common axis.

import { h, svg } from './dom.js';
import { empty, pill } from './parts.js';
import { clock, finalStep, hasEnded, span } from './words.js';

export function steps({ steps: list, until, status }) {
  if (list.length === 0) {
    if (status === 'refused') return empty('The drill was refused, so no step ever began.');
    return empty(hasEnded({ status }) ? 'The run showed no steps.' : 'No steps yet: the service shows them once the run has begun.');
  }
  const axis = scale(list, until);
  return [
    h('ol', { class: 'steps' }, list.map((s) => row(s, axis))),
    axis && h('p', { class: 'soft axis' }, h('span', {}, clock(axis.from)), h('span', {}, clock(axis.until))),
  ];
}

function scale(list, until) {
  const times = list.flatMap((s) => [s.started_at, s.ended_at]).filter(Boolean);
  if (times.length === 0) return null;
  if (until) times.push(until);
  const ms = times.map((t) => Date.parse(t));
  const from = Math.min(...ms);
  const begun = Math.min(...list.map((s) => Date.parse(s.started_at)).filter((t) => !Number.isNaN(t)));
  const ends = list.every((s) => !s.started_at || (finalStep(s.state) && s.ended_at));
  const last = ends ? Math.max(...list.map((s) => Date.parse(s.ended_at)).filter((t) => !Number.isNaN(t))) : Math.max(...ms);
  const start = Number.isFinite(begun) ? begun : from;
  return { from: new Date(start).toISOString(), until: new Date(Math.max(last, start + 1000)).toISOString() };
}

function row(s, axis) {
  const done = finalStep(s.state) && s.ended_at;
  return h('li', { class: 'step' },
    h('div', { class: 'name' }, h('strong', {}, s.name), h('span', { class: 'soft' }, ` ${s.kind}`)),
    h('div', { class: 'state' }, pill(s.state), s.started_at && h('span', { class: 'soft' },
      ` ${clock(s.started_at)} → ${done ? `${clock(s.ended_at, s.started_at)}, ${span(s.started_at, s.ended_at)}` : 'goes on'}`)),
    axis && s.started_at && bar(s, axis, done),
    s.message && h('p', { class: 'soft message' }, s.message),
    (s.targets ?? []).length > 0 && h('ul', { class: 'targets' }, s.targets.map((t) => h('li', {}, h('code', {}, t.id), t.state && [' ', pill(t.state)],
      t.message && h('span', { class: 'soft' }, ` ${t.message}`)))));
}

const kinds = ['fault', 'recovery', 'wait', 'approval', 'check'];

// bar is a picture of what the words beside it say, so it is hidden from screen readers.
function bar(s, axis, done) {
  const from = Date.parse(axis.from);
  const whole = Date.parse(axis.until) - from;
  const x = ((Date.parse(s.started_at) - from) / whole) * 100;
  const end = done ? ((Date.parse(s.ended_at) - from) / whole) * 100 : 100;
  const kind = kinds.includes(s.kind) ? s.kind : 'other';
  return svg('svg', { class: 'bar', viewBox: '0 0 100 4', preserveAspectRatio: 'none', 'aria-hidden': 'true', focusable: 'false' },
    svg('rect', { class: 'track', x: 0, y: 1.8, width: 100, height: 0.4 }),
    svg('rect', { class: `${kind} is-${finalStep(s.state) ? s.state : 'open'}`, x, y: 0, width: Math.max(end - x, 0.6), height: 4 }));
}
