// words.js: times and words as people read them.

const pad = (n) => String(n).padStart(2, '0');

// offset is "+01:00" at that moment in the browser's zone.
function offset(d) {
  const m = -d.getTimezoneOffset();
  return `${m < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(m) / 60))}:${pad(Math.abs(m) % 60)}`;
}

// clock is "10:04:05", with the date where it is not that of other (default: today).
export function clock(iso, other) {
  if (!iso) return '';
  const d = new Date(iso);
  const o = other ? new Date(other) : new Date();
  const time = `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
  return d.toDateString() === o.toDateString() ? time : `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${time}`;
}

// full is "2026-11-21 10:04:05 +01:00".
export function full(iso) {
  if (!iso) return '';
  const d = new Date(iso);
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())} ${offset(d)}`;
}

// ago is "10:04:05 · 12 s ago": the time, and how long that is by this machine's clock.
export function ago(iso) {
  const s = Math.round((Date.now() - new Date(iso)) / 1000);
  if (Number.isNaN(s)) return '';
  if (s < 5) return `${clock(iso)} · now`;
  if (s < 60) return `${clock(iso)} · ${s - (s % 5)} s ago`;
  if (s < 3600) return `${clock(iso)} · ${Math.floor(s / 60)} min ago`;
  return s < 86400 ? `${clock(iso)} · ${Math.floor(s / 3600)} h ago` : clock(iso);
}

export const zone = () => `${Intl.DateTimeFormat().resolvedOptions().timeZone || 'local time'} (${offset(new Date())})`;

// span is "12s", "3m 05s", "2h 10m".
export function span(from, until) {
  const s = Math.max(0, Math.round((new Date(until) - new Date(from)) / 1000));
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${pad(s % 60)}s`;
  return `${Math.floor(s / 3600)}h ${pad(Math.floor((s % 3600) / 60))}m`;
}

export const services = { fis: 'AWS FIS', ahas: 'Alibaba AHAS', oos: 'Alibaba OOS', cfg: 'Tencent CFG' };

export const shortID = (id) => (id.length > 8 ? id.slice(0, 8) : id);

const ended = ['stopped', 'completed', 'failed', 'concluding', 'concluded', 'refused'];
export const hasEnded = (d) => ended.includes(d.status);
export const isFinal = (d) => d.status === 'concluded' || d.status === 'refused';

// tone is the colour class of a status or verdict; the word always stands beside it.
export function tone(word) {
  switch (word) {
    case 'running': case 'starting': return 'run';
    case 'waiting': case 'previewing': case 'requested': case 'inconclusive': case 'ready': return 'wait';
    case 'stopping': case 'stopped': return 'stop';
    case 'completed': case 'concluded': case 'expected': case 'done': return 'good';
    case 'failed': case 'refused': case 'unexpected': return 'bad';
    default: return 'idle';
  }
}

export const finalStep = (state) => ['done', 'failed', 'skipped', 'cancelled'].includes(state);
