// home.js: the first page. Plans to start, drills newest first, and the halt.

import * as api from './api.js';
import { h, keep, released, steady } from './dom.js';
import { act, empty, field, form, live, pill, section, sure, time } from './parts.js';
import { clock, full, services, shortID, zone } from './words.js';

// home builds the page into main and returns the function that loads it anew.
export function home(main) {
  const drills = h('div', {});
  const plans = h('div', {});
  main.replaceChildren(
    section('Drills', drills),
    section('Plans', plans),
    section('Halt', halt()));
  return async () => {
    const [ps, ds] = await Promise.all([api.plans(), api.drills()]);
    await released();
    steady(document.scrollingElement, () => {
      keep(drills, ds.map(summary), drawDrills);
      keep(plans, ps, drawPlans);
    });
  };
}

// summary is what the list shows, so that nothing is drawn anew for what it does not.
const summary = (d) => ({
  id: d.id, title: d.title || d.plan, plan: d.plan, service: d.service, environment: d.environment, mode: d.mode, status: d.status,
  verdict: d.verdict, at: d.requested_at, actor: d.actor, gates: (d.gates ?? []).length, stop: d.stop ?? {},
});

function drawDrills(list) {
  if (list.length === 0) {
    return empty(`No drill yet: press Start at one of the plans below. ${live() ? 'It injects real faults.' : 'In the sandbox nothing real is touched.'}`);
  }
  return h('ol', { class: 'drills' }, list.map((d) => h('li', {},
    h('a', { class: 'drill', href: `/drills/${encodeURIComponent(d.id)}`, dataset: { key: `drill-${d.id}` } },
      h('span', { class: 'title' }, d.title),
      h('span', { class: 'soft' }, `${services[d.service] ?? d.service} · ${d.environment} · `, h('code', {}, shortID(d.id)), ' · ', time(d.at, clock(d.at))),
      h('span', { class: 'pills' }, pill(d.status), d.verdict && pill(d.verdict), d.gates > 0 && h('span', { class: 'pill wait' }, 'waits for you'),
        d.mode === 'LIVE' && h('span', { class: 'pill bad' }, 'LIVE'))))));
}

function drawPlans(list) {
  if (list.length === 0) {
    return empty('The catalogue has no plan. Add one to drills.yaml; ', h('code', {}, 'firedrill discover'), ' writes stanzas for the templates of an account.');
  }
  return h('ul', { class: 'plans' }, list.map(planCard));
}

function planCard(p) {
  return h('li', { class: 'plan' },
    h('h3', {}, p.title || p.name),
    h('p', { class: 'soft' }, h('code', {}, p.name), ` · ${services[p.service] ?? p.service}`),
    h('p', { class: 'pills' },
      h('span', { class: `pill ${p.environment === 'production' ? 'bad' : 'idle'}` }, p.environment),
      p.approval && h('span', { class: 'pill wait' }, 'needs approval'),
      p.next && h('span', { class: 'pill idle', title: full(p.next) }, 'next ', time(p.next, clock(p.next)))),
    startForm(p));
}

// parametersOf lists the plan's parameters by name, with what is known of each.
const parametersOf = (p) => (p.parameters ?? []).map((name) => ({ ...p.inputs?.[name], name }));

function startForm(p) {
  const parameters = parametersOf(p);
  const key = `plan-${p.name}`;
  const begin = async (el, submitter) => {
    const dry = submitter?.value === 'dry';
    const values = {};
    for (const q of parameters) {
      const v = el.elements[`p-${q.name}`].value;
      if (v !== '') values[q.name] = v;
    }
    if (!dry && !(await sure(`Start “${p.title || p.name}” in ${p.environment}?`))) return;
    const data = { plan: p.name, actor: api.actor };
    if (parameters.length > 0) data.parameters = values;
    if (dry) data.dry_run = true;
    act(submitter, `${dry ? 'dry run of' : 'start'} ${p.name}`, () => api.send('command.start', data, p.name), (reply) => {
      if (reply.drill) location.assign(`/drills/${encodeURIComponent(reply.drill)}`);
    });
  };
  return form({ class: 'start' }, begin,
    parameters.length > 0 && h('details', { dataset: { key: `${key}-details` } }, h('summary', {}, `Parameters: ${parameters.map((q) => q.name).join(', ')}`),
      parameters.map((q) => field(q.title ? `${q.name}: ${q.title}` : q.name, parameterInput(q, `${key}-${q.name}`)))),
    h('div', { class: 'row' },
      h('button', { class: 'go', value: 'start', dataset: { key: `${key}-start` }, 'aria-label': `Start ${p.name}` }, 'Start'),
      h('button', { value: 'dry', dataset: { key: `${key}-dry` }, 'aria-label': `Dry run of ${p.name}` }, 'Dry run')));
}

// parameterInput leaves checking to the start itself, which knows the rules and names what is wrong; here they are only shown.
function parameterInput(q, key) {
  const attrs = { name: `p-${q.name}`, dataset: { key }, autocomplete: 'off' };
  const byDefault = q.default === undefined ? 'no default' : `default: ${q.default}`;
  const choices = q.type === 'bool' ? [true, false] : q.enum ?? [];
  if (choices.length > 0) {
    return h('select', attrs, h('option', { value: '' }, byDefault), choices.map((v) => h('option', { value: String(v) }, String(v))));
  }
  const bounds = [q.min !== undefined && `from ${q.min}`, q.max !== undefined && `up to ${q.max}`].filter(Boolean).join(' ');
  return h('input', { ...attrs, type: 'text', inputmode: ['int', 'number'].includes(q.type) ? 'decimal' : null,
    placeholder: [byDefault, bounds].filter(Boolean).join(', ') });
}

function halt() {
  const go = (el, submitter) => {
    const reason = el.elements.reason.value.trim();
    const name = submitter?.value === 'release' ? 'release' : 'halt';
    if (name === 'release' && reason === '') {
      el.elements.reason.focus();
      el.elements.reason.setCustomValidity('A release needs a reason.');
      el.elements.reason.reportValidity();
      return;
    }
    const scope = el.elements.scope.value.trim() || 'all';
    act(submitter, `${name} ${scope}`, () => api.send(`command.${name}`, { scope, reason, actor: api.actor }), () => { el.elements.reason.value = ''; });
  };
  return [
    h('p', { class: 'soft' }, 'A halt stops every active drill of its scope at once, and no new one starts until it is released. Times on this page: ', zone(), '.'),
    form({ class: 'row wide', novalidate: true }, go,
      field('Scope', h('input', { name: 'scope', type: 'text', value: 'all', autocomplete: 'off', title: 'all, environment/NAME or plan/NAME' })),
      field('Reason', h('input', { name: 'reason', type: 'text', autocomplete: 'off', oninput: (e) => e.target.setCustomValidity('') })),
      h('button', { class: 'danger', value: 'halt' }, 'Halt'),
      h('button', { value: 'release' }, 'Release')),
  ];
}
