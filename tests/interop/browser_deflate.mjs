// SPDX-License-Identifier: MIT
// Compressed WebSockets of headless Chromium: what was agreed on, what comes back, what went over the wire.

import net from 'node:net';
import { once } from 'node:events';
import { Server, Suite, equal, expect, load, until, within } from './support.mjs';

const { chromium } = load('playwright-core');
const LAUNCH = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
};
const WORDS = '你好,世界 👩‍👩‍👧‍👦 κόσμε ';

// Counts the bytes between the browser and a server.
async function meter(server) {
  const count = { up: 0, down: 0 };
  const listener = net.createServer((near) => {
    const far = net.connect(server.port, '127.0.0.1');
    for (const [from, to, way] of [[near, far, 'up'], [far, near, 'down']]) {
      from.on('data', (data) => { count[way] += data.length; });
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  count.port = listener.address().port;
  count.end = () => listener.close();
  return count;
}

// A page whose handshakes are recorded: [URL, Sec-WebSocket-Extensions asked, answered].
async function recorded(browser) {
  const page = await (await browser.newContext()).newPage();
  const network = await page.context().newCDPSession(page);
  const urls = new Map();
  const handshakes = [];
  const field = (headers) => Object.entries(headers).find(([key]) => /^sec-websocket-extensions$/i.test(key))?.[1];
  network.on('Network.webSocketCreated', ({ requestId, url }) => urls.set(requestId, url));
  network.on('Network.webSocketHandshakeResponseReceived', ({ requestId, response }) =>
    handshakes.push([urls.get(requestId), field(response.requestHeaders ?? {}), field(response.headers)]));
  await network.send('Network.enable');
  return { page, handshakes };
}

// Runs in the page: each message goes out and has to come back the same.
async function echoes({ url, words }) {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const event = (name) => new Promise((done, fail) => {
    socket.addEventListener(name, done, { once: true });
    socket.addEventListener('error', () => fail(new Error('error event')), { once: true });
  });
  await event('open');
  const noise = crypto.getRandomValues(new Uint8Array(60000));
  const messages = ['', 'a', words, words.repeat(20000), words.repeat(20000), new Uint8Array(0), noise,
    new Uint8Array(16 << 20)];
  let wrong = 0;
  for (const message of messages) {
    const next = event('message');
    socket.send(message);
    const got = (await next).data;
    if (typeof message === 'string') wrong += got !== message;
    else wrong += got.byteLength !== message.length || new Uint8Array(got).some((byte, at) => byte !== message[at]);
  }
  const closed = event('close');
  const { extensions } = socket;
  socket.close(3001, 'bye');
  const { code, reason, wasClean } = await closed;
  return { extensions, wrong, end: [code, reason, wasClean] };
}

async function echo(browser, server, packed) {
  const wire = await meter(server);
  const { page, handshakes } = await recorded(browser);
  const got = await page.evaluate(echoes, { url: `ws://127.0.0.1:${wire.port}/a`, words: WORDS });
  equal(got.wrong, 0, 'messages that came back wrong');
  equal(got.end[0], 3001, 'close code');
  equal(got.end[2], true, 'wasClean');
  equal(handshakes.length, 1, 'handshakes');
  expect(handshakes[0][1]?.includes('permessage-deflate'), `the browser asked for ${handshakes[0][1]}`);
  equal(/^permessage-deflate/.test(handshakes[0][2] ?? ''), packed, `answer ${handshakes[0][2]}`);
  equal(/permessage-deflate/.test(got.extensions), packed, `WebSocket.extensions ${got.extensions}`);
  const most = packed ? 400e3 : 100e6;
  const least = packed ? 60e3 : 16e6;
  for (const way of ['up', 'down'])
    expect(wire[way] > least && wire[way] < most, `${wire[way]} bytes went ${way}`);
  wire.end();
  await page.context().close();
  return `${wire.up} bytes up, ${wire.down} down`;
}

// The demo's room, as the page opens it.
async function room(browser, server) {
  const members = [];
  for (const name of ['Anna', 'Bo 🎈']) {
    const member = await recorded(browser);
    await member.page.goto(`http://127.0.0.1:${server.port}/`);
    const button = member.page.locator('button[data-view="room"]');
    if (await button.isVisible()) await button.click();
    await member.page.fill('#name', name);
    await member.page.click('#join');
    members.push(member);
  }
  const log = (member) => member.page.innerText('#room-log');
  await until(5000, async () => (await members[0].page.innerText('#online')).includes('Bo 🎈'), 'Anna sees Bo');
  const long = WORDS.repeat(8).trim();
  for (const [speaker, text] of [[0, long], [1, `answer ${long}`], [0, long]]) {
    await members[speaker].page.fill('#say', text);
    await members[speaker].page.click('#say-send');
    for (const member of members) await until(5000, async () => (await log(member)).includes(text), 'the message');
  }
  for (const member of members) {
    const [, asked, answered] = member.handshakes.find(([url]) => url.endsWith('/room')) ?? [];
    expect(asked?.includes('permessage-deflate'), `the browser asked for ${asked}`);
    expect(/^permessage-deflate/.test(answered ?? ''), `the room answered ${answered}`);
    await member.page.context().close();
  }
}

const suite = new Suite('browser');
const browser = await chromium.launch(LAUNCH);
for (const packed of [true, false]) {
  const server = await Server.start('ws_echo_server', ...(packed ? ['--deflate'] : []));
  await suite.check(`echo, ${packed ? 'compressed' : 'declined'}`, () => echo(browser, server, packed), 40000);
  await suite.check('SIGTERM', () => server.terminate());
}
const demo = await Server.start('demo_server');
await suite.check('the room, compressed', () => room(browser, demo), 30000);
await within(5000, browser.close(), 'the browser\'s end');
await suite.check('SIGTERM', () => demo.terminate());
suite.finish();
