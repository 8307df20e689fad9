// SPDX-License-Identifier: MIT
// Chromium's EventSource: streams that weir writes, and the demo's page behind a proxy that breaks connections.

import http from 'node:http';
import { once } from 'node:events';
import { Server, Suite, equal, expect, load, until } from './support.mjs';
import { Proxy, lastEventId, received, someEvents, written } from './sse_support.mjs';

const { chromium } = load('playwright-core');
const PROMPT = 'Tell me about the sea';

// The whole answer, as any client gets it.
async function wholeAnswer(port) {
  const answer = await fetch(`http://127.0.0.1:${port}/chat/stream?prompt=${encodeURIComponent(PROMPT)}`,
    { headers: { 'Accept-Language': 'en-US' } });
  const events = (await answer.text()).split('\n\n').map((block) => /^data: (.*)$/m.exec(block)?.[1]);
  return events.filter((data) => data && data !== '[DONE]').map((data) => JSON.parse(data)).join('');
}

async function open(browser, port) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(8000);
  await page.goto(`http://127.0.0.1:${port}/`);
  return page;
}

const last = (page) => page.evaluate(() => {
  const turn = [...document.querySelectorAll('#answers .turn')].at(-1);
  return {
    state: turn?.dataset.state, text: turn?.querySelector('.answer').textContent ?? '',
    note: turn?.querySelector('.note').textContent ?? '', status: document.getElementById('chat-status').textContent,
  };
});

async function ask(page) {
  await page.fill('#prompt', PROMPT);
  await page.click('#send');
}

const ended = (page) => until(20000, async () => (await last(page)).state !== 'streaming' && last(page), 'the answer');
const grown = (page, size) => until(8000, async () => (await last(page)).text.length >= size, `${size} characters`);

// Types have to be listened to by name.
const collect = (page, url, types, count) => page.evaluate(([url, types, count]) => new Promise((done, fail) => {
  const source = new EventSource(url), events = [];
  const take = (event) => {
    events.push([event.type, event.data, event.lastEventId]);
    if (events.length === count) { source.close(); done(events); }
  };
  for (const type of types) source.addEventListener(type, take);
  setTimeout(() => fail(new Error(`only ${events.length} events`)), 10000);
}), [url, types, count]);

// Chromium is the reference: what the application meant is what it gets.
async function readsWeir(browser) {
  const web = http.createServer((request, response) => {
    if (request.url === '/') return response.writeHead(200, { 'Content-Type': 'text/html' }).end('<title>x</title>');
    const bytes = written(someEvents(Number(request.url.slice(1)), 200));
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (let at = 0; at < bytes.length; at += 1009) response.write(bytes.subarray(at, at + 1009));
  });
  await once(web.listen(0, '127.0.0.1'), 'listening');
  const port = web.address().port;
  try {
    const page = await open(browser, port);
    for (const seed of [1, 2, 3]) {
      const wanted = received(someEvents(seed, 200));
      const types = [...new Set(wanted.map(([type]) => type))];
      equal(await collect(page, `/${seed}`, types, wanted.length), wanted, `events of seed ${seed}`);
    }
    await page.context().close();
  } finally {
    web.close();
    web.closeAllConnections();
  }
}

// The TCP connection is killed twice in an answer: the text is the same to the last character.
async function cutOff(browser, proxy, whole) {
  const page = await open(browser, proxy.port);
  proxy.heads.length = 0;
  await ask(page);
  for (const size of [40, 200]) {
    await grown(page, size);
    proxy.cut();
  }
  const { state, text, note } = await ended(page);
  equal([state, text], ['done', whole], 'state and text');
  expect(note.includes('resumed'), note);
  const ids = proxy.heads.filter((head) => head.startsWith('GET /chat')).map(lastEventId);
  equal(ids.length, 3, 'requests');
  expect(ids[0] === null && ids[1] && ids[2] && ids[1] !== ids[2], `Last-Event-ID ${ids}`);
  await page.context().close();
  return note;
}

// The server is another one when the page comes back, and knows nothing: the page says so and begins again.
async function forgotten(browser, whole) {
  let server = await Server.start('demo_server');
  const proxy = await Proxy.start(server.port);
  try {
    const page = await open(browser, proxy.port);
    await ask(page);
    await grown(page, 60);
    const other = await Server.start('demo_server');
    proxy.target = other.port;
    await server.terminate();
    server = other;
    await until(5000, async () => (await last(page)).status.includes('begins again'), 'the page says so');
    const { state, text, note } = await ended(page);
    equal([state, text], ['done', whole], 'state and text');
    expect(note.includes('begun again'), note);
    await page.context().close();
    return note;
  } finally {
    proxy.close();
    await server.terminate();
  }
}

// An upstream that fails: what the visitor reads.
async function failing(browser) {
  const mock = http.createServer((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('data: {"choices":[{"index":0,"delta":{"content":"So far 你"}}]}\n\n');
    response.end('data: {"error":{"message":"<b>overloaded</b>"}}\n\n');
  });
  await once(mock.listen(0, '127.0.0.1'), 'listening');
  const server = await Server.start('demo_server', '--upstream', `http://127.0.0.1:${mock.address().port}/v1`);
  try {
    const page = await open(browser, server.port);
    const requests = [];
    page.on('request', (request) => requests.push(request.url()));
    await ask(page);
    const { state, text, note } = await ended(page);
    equal([state, text], ['failed', 'So far 你'], 'state and text');
    expect(note.includes('<b>overloaded</b>'), note);
    await page.waitForTimeout(1500);
    equal(requests.length, 1, 'requests');
    await page.context().close();
    return note;
  } finally {
    mock.close();
    mock.closeAllConnections();
    await server.terminate();
  }
}

const suite = new Suite('sse-browser');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'] });
const server = await Server.start('demo_server');
const proxy = await Proxy.start(server.port);
const whole = await wholeAnswer(server.port);
await Promise.all([
  suite.check('EventSource reads what weir writes', () => readsWeir(browser), 40000),
  suite.check('an answer survives two broken connections', () => cutOff(browser, proxy, whole), 40000),
  suite.check('a server that has forgotten it', () => forgotten(browser, whole), 40000),
  suite.check('an answer that fails', () => failing(browser), 40000),
]);
proxy.close();
await browser.close();
await suite.check('SIGTERM', () => server.terminate());
suite.finish();
