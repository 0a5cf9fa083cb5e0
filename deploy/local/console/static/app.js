// app.js: which page this is, and when it loads anew: at every event, every few seconds, and when the tab comes back.

import { follow } from './api.js';
import { answered, live } from './parts.js';
import { home } from './home.js';
import { drillPage } from './drill.js';
import { chatPage } from './chat.js';

const every = 5000;

function banner() {
  const box = document.getElementById('mode');
  const mode = document.body.dataset.mode;
  box.classList.toggle('live', live());
  box.textContent = live()
    ? 'LIVE · real faults in real accounts'
    : `${mode} · faults go to a simulator on this machine, nothing real is touched`;
}

// pageFor builds the page that the address names and returns the function that loads it anew.
function pageFor(main) {
  const [, first, second] = location.pathname.split('/').map(decodeURIComponent);
  for (const a of document.querySelectorAll('.pages a')) {
    if (a.pathname === (first === 'chat' ? '/chat' : '/')) a.setAttribute('aria-current', first ? 'true' : 'page');
  }
  if (first === 'drills') return drillPage(main, second);
  return first === 'chat' ? chatPage(main, second) : home(main);
}

function start() {
  banner();
  const main = document.getElementById('main');
  const link = document.getElementById('link');
  const load = pageFor(main);
  let busy = false;
  let again = false;
  let streaming = false;

  async function refresh() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      await load();
      link.textContent = streaming ? 'live' : 'connected';
      link.classList.remove('bad');
    } catch (e) {
      link.textContent = `not up to date: ${e.message}`;
      link.classList.add('bad');
    }
    busy = false;
    if (again) {
      again = false;
      refresh();
    }
  }

  follow((event) => {
    answered(event);
    refresh();
  }, (on) => {
    streaming = on;
    refresh();
  });
  setInterval(() => document.hidden || refresh(), load.every ?? every);
  document.addEventListener('visibilitychange', () => document.hidden || refresh());
  document.addEventListener('firedrill:refresh', refresh);
  refresh();
}

start();
