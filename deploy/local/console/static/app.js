// app.js: which page this is, and when it loads anew: at every event, every five seconds, and when the tab comes back.

import { follow } from './api.js';
import { answered, live } from './parts.js';
import { home } from './home.js';
import { drillPage } from './drill.js';

const every = 5000;

function banner() {
  const box = document.getElementById('mode');
  const mode = document.body.dataset.mode;
  box.classList.toggle('live', live());
  box.textContent = live()
    ? 'LIVE · real faults in real accounts'
    : `${mode} · faults go to a simulator on this machine, nothing real is touched`;
}

function start() {
  banner();
  const main = document.getElementById('main');
  const link = document.getElementById('link');
  const id = location.pathname.match(/^\/drills\/([^/]+)/)?.[1];
  const load = id ? drillPage(main, decodeURIComponent(id)) : home(main);
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
  setInterval(refresh, every);
  document.addEventListener('visibilitychange', () => document.hidden || refresh());
  document.addEventListener('firedrill:refresh', refresh);
  refresh();
}

start();
