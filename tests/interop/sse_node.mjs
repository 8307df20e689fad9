// SPDX-License-Identifier: MIT
// The packages eventsource and eventsource-parser against streams that weir writes and against demo_server; and
// sse_cat beside eventsource-parser.

import { spawn, spawnSync } from 'node:child_process';
import http from 'node:http';
import { once } from 'node:events';
import path from 'node:path';
import { BUILD, Server, Suite, equal, expect, load, sleep, until } from './support.mjs';
import { Proxy, dice, lastEventId, received, someEvents, written } from './sse_support.mjs';

const { EventSource } = await import(load.resolve('eventsource'));
const { createParser } = await import(load.resolve('eventsource-parser'));
const PROMPT = 'Tell me about the sea';
const CHAT = '/chat/stream?prompt=' + encodeURIComponent(PROMPT);
const CUTS = [1, 2, 3, 7, 1400, Infinity];

// Events of a stream, as eventsource-parser sees it. It reports a block's own ID; onId tells the others.
function parsed(bytes, cut) {
  const events = [];
  let id = '';
  const parser = createParser({
    onId: (value) => { id = value ?? ''; },
    onEvent: (event) => events.push([event.event || 'message', event.data, id]),
  });
  const decoder = new TextDecoder('utf-8');
  for (let at = 0; at < bytes.length; at += cut)
    parser.feed(decoder.decode(bytes.subarray(at, Math.min(bytes.length, at + cut)), { stream: true }));
  return events;
}

async function readsWeir() {
  for (const cut of CUTS) {
    const events = someEvents(1 + CUTS.indexOf(cut), 300);
    equal(parsed(written(events), cut), received(events), `cut at ${cut}`);
  }
}

// The same bytes to both: sse_cat and eventsource-parser.
async function beside() {
  const roll = dice(7);
  const pieces = ['data', 'data:', 'data: x', 'event: y', 'event', ': c', 'id: 1', 'x', '\n', '\n', '\r', '\r\n',
    '\n\n', '你', ' ', 'retry: 5', 'dat', '\u0000'];
  const cat = path.join(BUILD, 'examples', 'sse_cat');
  for (let round = 0; round < 60; round++) {
    const bytes = Buffer.from(Array.from({ length: 80 }, () => pieces[roll(pieces.length)]).join(''));
    const done = spawnSync(cat, ['--chunk', String(1 + roll(9)), '-'], { input: bytes });
    const events = String(done.stdout).trim().split('\n').map((line) => JSON.parse(line));
    equal(events.pop().end, true, 'the end line');
    equal(events.map((event) => [event.type, event.data]),
      parsed(bytes, 1 + roll(20)).map(([type, data]) => [type, data]), JSON.stringify(String(bytes)));
  }
}

async function fetched(server, options) {
  const answer = await fetch(`http://127.0.0.1:${server.port}${options ? '/chat/stream' : CHAT}`, options);
  equal([answer.status, answer.headers.get('content-type')], [200, 'text/event-stream'], 'the answer');
  let text = '', done = false, pieces = 0;
  const parser = createParser({ onEvent: ({ data }) => {
    if (data === '[DONE]') done = true;
    else text += JSON.parse(data);
  } });
  const decoder = new TextDecoder();
  for await (const chunk of answer.body) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    pieces++;
  }
  expect(done, 'no [DONE]');
  expect(pieces > 20, `${pieces} pieces`);
  return text;
}

// An answer through the EventSource package; `during` may break things.
async function sourced(port, during = () => {}, init = {}) {
  const seen = { text: '', tokens: 0, opens: 0, errors: 0, gaps: 0, ids: [] };
  const source = new EventSource(`http://127.0.0.1:${port}${CHAT}`, init);
  let finished = false;
  source.onopen = () => seen.opens++;
  source.onerror = () => seen.errors++;
  source.addEventListener('gap', () => { seen.gaps++; seen.text = ''; });
  source.onmessage = (event) => {
    seen.ids.push(event.lastEventId);
    if (event.data === '[DONE]') {
      finished = true;
      source.close();
      return;
    }
    seen.text += JSON.parse(event.data);
    seen.tokens++;
    during(seen);
  };
  try {
    await until(20000, () => finished, 'the answer');
  } finally {
    source.close();
  }
  return seen;
}

async function resumes(server, whole) {
  const proxy = await Proxy.start(server.port);
  try {
    const seen = await sourced(proxy.port, ({ tokens }) => { if (tokens === 10 || tokens === 40) proxy.cut(); });
    equal(seen.text, whole, 'the text');
    equal([seen.opens, seen.errors, seen.gaps, proxy.cuts], [3, 2, 0, 2], 'opens, errors, gaps, cuts');
    const asked = proxy.heads.map(lastEventId);
    equal(asked[0], null, 'the first request');
    expect(asked.slice(1).every((id) => seen.ids.includes(id)), `Last-Event-ID ${asked}`);
    equal(new Set(seen.ids).size, seen.ids.length, 'no event twice');
  } finally {
    proxy.close();
  }
}

// An EventSource cannot say it at first: its fetch does.
const coming = (id) => ({
  fetch: (url, options) => fetch(url, { ...options, headers: { ...options.headers, 'Last-Event-ID': id } }) });

async function gap(server, whole) {
  const seen = await sourced(server.port, () => {}, coming('unknown'));
  equal([seen.text, seen.gaps], [whole, 1], 'text and gaps');
}

async function stops(server) {
  const { ids } = await sourced(server.port);
  const source = new EventSource(`http://127.0.0.1:${server.port}${CHAT}`, coming(ids.at(-1)));
  const [error] = await once(source, 'error');
  equal([source.readyState, error.code], [EventSource.CLOSED, 204], 'state and status');
}

// sse_cat as the client of Node's own HTTP server.
async function nodeServes() {
  const events = [...someEvents(99, 400), { data: 'last', id: 'zuletzt: ü' }];
  const bytes = written(events);
  const requests = [];
  const web = http.createServer((request, response) => {
    requests.push(request.headers);
    if (requests.length > 2) return response.writeHead(204).end();
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const half = bytes.length >> 1; // by chunks, inside characters and lines
    for (let at = 0; at < bytes.length; at += half) response.write(bytes.subarray(at, at + half));
    response.end('retry: 100\n\n');
  });
  await once(web.listen(0, '127.0.0.1'), 'listening');
  try {
    const cat = spawn(path.join(BUILD, 'examples', 'sse_cat'), [`http://127.0.0.1:${web.address().port}/`],
      { stdio: ['ignore', 'pipe', 'ignore'] });
    let out = '';
    cat.stdout.setEncoding('utf8').on('data', (data) => { out += data; });
    const [code] = await once(cat, 'close');
    equal(code, 1, 'status after 204');
    const got = out.trim().split('\n').map((line) => Object.values(JSON.parse(line)));
    const wanted = received(events);
    equal(got.slice(0, wanted.length), wanted, 'the first time');
    equal(got.length, 2 * wanted.length, 'events');
    equal(requests[1]['last-event-id'], Buffer.from('zuletzt: ü').toString('latin1'), 'Last-Event-ID');
  } finally {
    web.close();
  }
}

const suite = new Suite('sse-node');
await suite.check('eventsource-parser reads what weir writes', readsWeir);
await suite.check('sse_cat and eventsource-parser read the same', beside, 30000);
await suite.check('sse_cat reads what Node serves', nodeServes);
const server = await Server.start('demo_server');
let whole = '';
await suite.check('GET by fetch', async () => { whole = await fetched(server); }, 30000);
const rounds = [
  suite.check('POST by fetch', async () => equal(
    await fetched(server, { method: 'POST', body: JSON.stringify({ prompt: PROMPT }) }), whole, 'the text'), 30000),
  suite.check('EventSource', async () => equal((await sourced(server.port)).text, whole, 'the text'), 30000),
  suite.check('EventSource goes on where it was cut off', () => resumes(server, whole), 40000),
  suite.check('EventSource is told of a gap', () => gap(server, whole), 30000),
  suite.check('204 stops an EventSource', () => stops(server), 30000),
];
await Promise.all(rounds);
await sleep(100);
await suite.check('SIGTERM', () => server.terminate());
suite.finish();
