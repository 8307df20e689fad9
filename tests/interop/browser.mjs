// SPDX-License-Identifier: MIT
// demo_server's page in headless Chromium: chat, room, keyboard, phone.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { BUILD, Server, Suite, equal, expect, load, sleep, until, within } from './support.mjs';

const { chromium } = load('playwright-core');
const LAUNCH = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
};
const ENGLISH = 'Tell me about the sea';
const CHINESE = '给我讲讲大海 🌊👩‍👩‍👧‍👦';

const faults = []; // console errors, exceptions and requests to other hosts, of all pages
const sent = []; // what the pages said in the room, in order

async function open(browser, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(8000);
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.host !== `127.0.0.1:${server.port}`)
      faults.push(`request to ${url.host}`);
  });
  page.on('websocket', (ws) => ws.on('framesent', ({ payload }) => sent.push(String(payload))));
  await page.goto(`http://127.0.0.1:${server.port}/`);
  return page;
}

const shot = (page, name) =>
  page.screenshot({ path: path.join(BUILD, 'interop', `${name}.png`), fullPage: true });

// The newest answer: its state and text.
const answer = (page) => page.evaluate(() => {
  const all = document.querySelectorAll('#answers .answer');
  const last = all[all.length - 1];
  return { count: all.length, state: last?.dataset.state, text: last?.textContent ?? '' };
});

async function ask(page, prompt) {
  const { count } = await answer(page);
  await page.fill('#prompt', prompt);
  await page.click('#send');
  await until(3000, async () => (await answer(page)).count > count, 'a new answer');
}

// Samples of the answer until it ends; every sample must be whole characters.
async function watch(page) {
  const samples = [];
  for (;;) {
    const now = await answer(page);
    expect(!/\ufffd|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(now.text),
      `a broken character in ${JSON.stringify(now.text)}`);
    samples.push(now);
    if (now.state !== 'streaming') return samples;
    await sleep(60);
  }
}

const meter = (page, id) => page.$eval(id, (element) =>
  ({ count: Number(element.dataset.count), bytes: Number(element.dataset.bytes) }));

async function chat(page) {
  const before = await meter(page, '#meter-sse');
  await ask(page, ENGLISH);
  const samples = await within(25000, watch(page), 'the answer');
  const lengths = [...new Set(samples.map((sample) => sample.text.length))];
  equal(samples.at(-1).state, 'done', 'state at the end');
  expect(lengths.length >= 8, `lengths ${lengths}`);
  expect(lengths.every((length, at) => at === 0 || length > lengths[at - 1]), `lengths ${lengths}`);
  const after = await meter(page, '#meter-sse');
  expect(after.count > before.count + 10 && after.bytes > before.bytes + samples.at(-1).text.length,
    `meter ${JSON.stringify([before, after])}`);
  await shot(page, 'chat');
  return `${lengths.length} lengths up to ${lengths.at(-1)}`;
}

async function chinese(page) {
  await ask(page, CHINESE);
  const samples = await within(25000, watch(page), 'the answer');
  const { state, text } = samples.at(-1);
  equal(state, 'done', 'state at the end');
  expect((text.match(/\p{Script=Han}/gu) ?? []).length > 10, `not Chinese: ${text}`);
  expect((await page.innerText('body')).includes(CHINESE), 'the prompt is not shown whole');
  await shot(page, 'chinese');
}

async function stop(page) {
  await ask(page, ENGLISH);
  await until(5000, async () => (await answer(page)).text.length > 20, 'some text');
  await page.click('#stop');
  await until(1000, async () => (await answer(page)).state === 'stopped', 'data-state="stopped"');
  const before = await answer(page);
  await sleep(700);
  equal(await answer(page), before, 'the answer after the stop');
  await ask(page, ENGLISH);
  equal((await within(25000, watch(page), 'the answer')).at(-1).state, 'done', 'the next answer');
}

async function keyboard(browser) {
  const page = await open(browser);
  const focused = () => page.evaluate(() => document.activeElement?.id);
  for (let tabs = 0; (await focused()) !== 'prompt'; tabs++) {
    expect(tabs < 20, 'Tab does not reach the prompt');
    await page.keyboard.press('Tab');
  }
  await page.keyboard.type(ENGLISH);
  await page.keyboard.press('Enter');
  await until(5000, async () => (await answer(page)).text.length > 20, 'an answer after Enter');
  equal((await answer(page)).state, 'streaming', 'state');
  await page.keyboard.press('Escape');
  await until(1000, async () => (await answer(page)).state === 'stopped', 'stopped by Escape');
  const tabTo = async (id) => {
    for (let tabs = 0; (await focused()) !== id; tabs++) {
      expect(tabs < 30, `Tab does not reach #${id}`);
      await page.keyboard.press('Tab');
    }
  };
  await tabTo('send');
  await tabTo('name');
  await page.keyboard.type('Kim');
  await page.keyboard.press('Enter');
  await sees(page, 'Kim');
  if ((await focused()) !== 'say') await tabTo('say');
  await page.keyboard.type('by keyboard');
  await page.keyboard.press('Enter');
  await until(2000, async () => (await log(page)).includes('by keyboard'), 'the message');
  await tabTo('leave');
  await page.keyboard.press('Enter');
  await until(2000, () => gone(page, 'Kim'), 'left');
  await page.context().close();
}

// Every control has a name, changes are announced, the page has a language and a title.
async function screenReader(page) {
  const missing = await page.evaluate(() => {
    const out = [];
    for (const element of document.querySelectorAll('input, textarea, button, select')) {
      const name = element.getAttribute('aria-label') ?? element.getAttribute('aria-labelledby') ??
        ([...(element.labels ?? [])].map((label) => label.innerText).join('') || element.innerText);
      if (!name?.trim()) out.push(`#${element.id} has no name`);
    }
    for (const id of ['answers', 'room-log'])
      if (!document.getElementById(id).closest('[aria-live], [role=log], [role=status]'))
        out.push(`#${id} is not announced`);
    if (!document.documentElement.lang) out.push('no lang');
    if (!document.title) out.push('no title');
    return out;
  });
  equal(missing, [], 'missing');
}

async function phone(browser) {
  const page = await open(browser, {
    viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
  await ask(page, 'a'.repeat(120) + ' ' + CHINESE);
  await until(5000, async () => (await answer(page)).text.length > 20, 'some text');
  await fits(page);
  await shot(page, 'phone-chat');
  await show(page, 'room');
  await join(page, 'Long-name-without-space');
  await say(page, 'x'.repeat(300));
  await until(3000, async () => (await log(page)).includes('x'.repeat(300)), 'the message');
  await fits(page);
  await shot(page, 'phone-room');
  await page.context().close();
}

// Nothing to scroll sideways, nothing too small for a finger.
async function fits(page) {
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  expect(width[0] <= 360 && width[1] <= 360, `${width[0]} pixels wide in a window of ${width[1]}`);
  const small = await page.evaluate(() => [...document.querySelectorAll('button, input, textarea')]
    .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 24)
    .map((element) => element.id || element.innerText));
  equal(small, [], 'controls too small to touch');
}

const online = (page) => page.$$eval('#online li', (items) => items.map((item) => item.innerText.trim()));
const log = (page) => page.innerText('#room-log');
const sees = (page, name, ms = 3000) =>
  until(ms, async () => (await online(page)).some((line) => line.includes(name)), `${name} online`);
const gone = async (page, name) => !(await online(page)).some((line) => line.includes(name));

// On a phone one half of the page is shown at a time.
async function show(page, view) {
  const button = page.locator(`button[data-view="${view}"]`);
  if (await button.isVisible()) await button.click();
}

async function join(page, name) {
  await page.fill('#name', name);
  await page.click('#join');
  await sees(page, name);
}

async function say(page, text) {
  await page.fill('#say', text);
  await page.click('#say-send');
}

async function room(anna, bo) {
  const before = await meter(anna, '#meter-ws');
  await join(anna, 'Anna');
  await join(bo, '小波 🎈');
  await sees(anna, '小波 🎈');
  await sees(bo, 'Anna');
  await say(anna, '你好, Bo 👋');
  await until(2000, async () => (await log(bo)).includes('你好, Bo 👋'), 'Bo reads Anna');
  await until(2000, async () => (await log(anna)).includes('你好, Bo 👋'), 'Anna reads herself');
  await say(bo, 'hello back');
  await until(2000, async () => (await log(anna)).includes('hello back'), 'Anna reads Bo');
  const after = await meter(anna, '#meter-ws');
  expect(after.count >= before.count + 3 && after.bytes > before.bytes + 20,
    `meter ${JSON.stringify([before, after])}`);
  await shot(anna, 'room');
}

// What a visitor writes is text, never markup.
async function markup(anna, bo) {
  const hostile = '<img src=x onerror="document.title=\'owned\'"><b>bold</b>';
  await say(bo, hostile);
  await until(2000, async () => (await log(anna)).includes(hostile), 'the text as it is');
  equal(await anna.evaluate(() => [document.title === 'owned', document.querySelectorAll('#room-log img').length]),
    [false, 0], 'markup');
}

async function leave(anna, bo) {
  await bo.click('#leave');
  await until(2000, () => gone(anna, '小波'), 'Anna sees Bo leave');
  await join(bo, 'Bo again');
  await sees(anna, 'Bo again');
  await bo.close();
  await until(2000, () => gone(anna, 'Bo again'), 'Anna sees the tab closed');
}

// A browser of its own, killed with all its processes: TCP ends without a Close.
async function killed(anna) {
  const other = await chromium.launchServer(LAUNCH);
  try {
    const browser = await chromium.connect(other.wsEndpoint());
    await join(await open(browser), 'Cleo');
    await sees(anna, 'Cleo');
    process.kill(-other.process().pid, 'SIGKILL');
    const start = Date.now();
    await until(5000, () => gone(anna, 'Cleo'), 'Anna sees Cleo lost');
    return `after ${Date.now() - start} ms`;
  } finally {
    await other.kill().catch(() => {});
  }
}

// A process that joins and is then stopped: its TCP lives on, its pongs do not come.
async function halfOpen(anna) {
  const script = fileURLToPath(new URL('room_guest.mjs', import.meta.url));
  const hello = sent.find((message) => message.includes('Anna')).replace('Anna', 'Dora');
  const guest = spawn(process.execPath, [script, String(server.port), hello], { stdio: 'inherit' });
  try {
    await sees(anna, 'Dora', 5000);
    guest.kill('SIGSTOP');
    const start = Date.now();
    await until(12000, () => gone(anna, 'Dora'), 'Anna sees Dora lost');
    return `after ${((Date.now() - start) / 1000).toFixed(1)} s`;
  } finally {
    guest.kill('SIGKILL');
  }
}

const suite = new Suite('browser');
const server = await Server.start('demo_server');
const browser = await chromium.launch(LAUNCH);
const anna = await open(browser);
const bo = await open(browser);

await suite.check('the room: two see and read each other', () => room(anna, bo));
await suite.check('the room: markup stays text', () => markup(anna, bo));
await suite.check('the room: leave, and a closed tab', () => leave(anna, bo));
const waiting = suite.check('the room: a stopped process is noticed', () => halfOpen(anna), 25000);
await suite.check('chat: an answer grows to its end', () => chat(anna), 30000);
await suite.check('chat: Chinese and emoji stay whole', () => chinese(anna), 30000);
await suite.check('chat: stop', () => stop(anna), 40000);
await waiting;
await suite.check('the room: a killed browser is noticed', () => killed(anna), 25000);
await suite.check('keyboard only', () => keyboard(browser), 25000);
await suite.check('names and announcements', () => screenReader(anna));
await suite.check('a phone of 360 x 740', () => phone(browser), 25000);
await suite.check('no console errors, no other hosts', async () => equal([...new Set(faults)], [], 'faults'));
await browser.close();
await suite.check('SIGTERM', () => server.terminate());
suite.finish();
