// drive.js presses the page's buttons as a person would; the test's server records what is sent.
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function find(key) {
  for (let i = 0; i < 200; i += 1) {
    const el = document.querySelector(`[data-key="${key}"]`);
    if (el) return el;
    await wait(50);
  }
  throw new Error(`no element ${key}`);
}

async function press(key) {
  (await find(key)).click();
  await wait(200);
}

async function drive() {
  if (location.pathname === '/') {
    navigation.addEventListener('navigate', (e) => { // note where the page goes, and stay
      document.body.dataset.driven = new URL(e.destination.url).pathname;
      e.preventDefault();
    });
    (await find('plan-cart-cpu-seconds')).value = '60';
    await press('plan-cart-cpu-start');
    return;
  }
  const gate = await find('gate-1@5-note');
  gate.value = 'watching';
  await wait(6000); // the page loads anew meanwhile: what was typed must stay
  if ((await find('gate-1@5-note')).value !== 'watching') throw new Error('what was typed is lost');
  await press('gate-1@5-execute-');
  await press('alarm-cart-errors');
  await press('clear-cart-errors');
  await press('claim-c1-true');
  document.querySelector('input[name=reason]').value = 'enough';
  document.querySelector('button.danger.big').click();
  await wait(200);
  document.querySelector('textarea[name=text]').value = 'seen';
  document.querySelector('textarea[name=text]').form.requestSubmit();
  await wait(200);
  document.body.dataset.driven = 'done';
}

drive().catch((e) => { document.body.dataset.driven = e.message; });
