// SPDX-License-Identifier: MIT
// Both ways with the npm package `ws`: its server for our clients, its client for our compressing server.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { BUILD, Server, Suite, equal, expect, load, until, within } from './support.mjs';

const WebSocket = load('ws');
const MIB = 1 << 20;
const WORDS = '你好,世界 👩‍👩‍👧‍👦 κόσμε';
const LONG = WORDS.repeat(2000);
const MESSAGES = ['', 'a', WORDS, LONG, LONG, Buffer.alloc(0), Buffer.from([0xff, 0xfe]), randomBytes(3000),
  randomBytes(60000), 'x'.repeat(MIB), Buffer.alloc(MIB)];

const OFFERS = [{}, { serverNoContextTakeover: true }, { clientNoContextTakeover: true }, { serverMaxWindowBits: 9 },
  { clientMaxWindowBits: 9 }, { clientMaxWindowBits: true }, { serverMaxWindowBits: 15, clientMaxWindowBits: 15 },
  { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 10, clientMaxWindowBits: 12 }];
const ANSWERS = [{}, { serverNoContextTakeover: true }, { clientNoContextTakeover: true },
  { serverMaxWindowBits: 9 }, { clientMaxWindowBits: 9 }, { clientMaxWindowBits: 15, serverMaxWindowBits: 15 },
  { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 11, clientMaxWindowBits: 10 }];

const same = (a, b) => typeof a === typeof b && (typeof a === 'string' ? a === b : a.equals(b));

// The messages of a connection, to be awaited in turn.
function inbox(ws) {
  const queue = [];
  const waiting = [];
  ws.on('error', () => {});
  ws.on('message', (data, binary) => {
    const message = binary ? data : data.toString();
    if (waiting.length) waiting.shift()(message);
    else queue.push(message);
  });
  return () => queue.length ? Promise.resolve(queue.shift()) :
    within(20000, new Promise((done) => waiting.push(done)), 'a message');
}

// One after another, then all at once, then in fragments.
async function ask(ws, next) {
  const one = async (message) => {
    const got = await next();
    expect(same(got, message), `another message came back (${got.length} for ${message.length})`);
  };
  for (const message of MESSAGES) {
    ws.send(message);
    await one(message);
  }
  for (const message of MESSAGES) ws.send(message);
  for (const message of MESSAGES) await one(message);
  for (const piece of [WORDS, WORDS, '']) ws.send(piece, { fin: piece === '' });
  await one(WORDS + WORDS);
  ws.send('uncompressed '.repeat(200), { compress: false });
  await one('uncompressed '.repeat(200));
  const pong = once(ws, 'pong');
  ws.ping('here?');
  equal((await within(5000, pong, 'a pong'))[0].toString(), 'here?', 'pong');
}

async function ourServer(server, offer, wanted) {
  const ws = new WebSocket(`ws://127.0.0.1:${server.port}/`,
    { perMessageDeflate: offer && { threshold: 0, ...offer }, maxPayload: 0 });
  const next = inbox(ws);
  const closed = once(ws, 'close');
  await within(5000, once(ws, 'open'), 'the opening handshake');
  equal(ws.extensions, wanted ? 'permessage-deflate' : '', 'extensions');
  await ask(ws, next);
  ws.close(1000, 'bye');
  const [code] = await within(5000, closed, 'the end');
  equal(code, 1000, 'code in the server\'s Close');
}

async function many(server, count) {
  await Promise.all(Array.from({ length: count }, async (_, at) => {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/`);
    const next = inbox(ws);
    await within(5000, once(ws, 'open'), 'the opening handshake');
    for (let turn = 0; turn < 5; turn++) {
      ws.send(`${at}/${turn} ${WORDS.repeat(30)}`);
      equal(await next(), `${at}/${turn} ${WORDS.repeat(30)}`, 'echo');
    }
    ws.close(1000);
    await within(5000, once(ws, 'close'), 'the end');
  }));
}

// A program of ours against its server. `serve` gets the connection, `act` the program.
async function withServer(program, options, answer, serve, act) {
  const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1', maxPayload: 0,
    perMessageDeflate: answer && { threshold: 0, ...answer } });
  await once(wss, 'listening');
  const served = new Promise((done, fail) => wss.on('connection', (ws, request) => {
    const packed = Boolean(answer) && options.includes('--deflate');
    Promise.resolve().then(() => {
      equal(ws.extensions, packed ? 'permessage-deflate' : '', 'extensions');
      equal(request.url, '/path?a=b', 'request target');
      return serve(ws);
    }).then(done, fail);
  }));
  const child = spawn(path.join(BUILD, 'examples', program),
    [...options, `ws://127.0.0.1:${wss.address().port}/path?a=b`]);
  const out = [];
  let errors = '';
  child.stdout.on('data', (data) => out.push(data));
  child.stderr.on('data', (data) => { errors += data; });
  child.stdin.on('error', () => {});
  const ended = once(child, 'close');
  try {
    const acted = act?.(child, () => Buffer.concat(out));
    await within(30000, Promise.all([served, acted]), 'the exchange');
    equal(await within(5000, ended, 'the program\'s end'), [0, null], `exit (${errors})`);
    equal(errors, '', 'stderr');
    return Buffer.concat(out);
  } finally {
    child.kill('SIGKILL');
    wss.close();
    for (const ws of wss.clients) ws.terminate();
  }
}

async function asks(ws) {
  const next = inbox(ws);
  const closed = once(ws, 'close');
  await ask(ws, next);
  ws.close(1000);
  const [code] = await within(5000, closed, 'the end');
  equal(code, 1000, 'code in the client\'s Close');
}

async function echoes(ws) {
  ws.on('message', (data, binary) => ws.send(data, { binary }));
  const [code] = await once(ws, 'close');
  equal(code, 1000, 'code in the client\'s Close');
}

async function reverses(ws) {
  ws.on('message', (data) => ws.send(Buffer.from(data).reverse()));
  await once(ws, 'close');
}

async function cat(options, answer) {
  const lines = `${WORDS}\n\n${LONG}\n${LONG}\n`;
  const noise = randomBytes(3000).toString('hex');
  const reversed = Buffer.from([...noise].reverse().join('')).toString('hex');
  for (const [serve, stdin, wanted] of [[echoes, lines, lines],
    [reverses, `abc\n${noise}\n`, `hex:636261\nhex:${reversed}\n`]]) {
    const got = await withServer('ws_cat', options, answer, serve, async (child, out) => {
      child.stdin.write(stdin);
      await until(20000, () => out().length >= Buffer.byteLength(wanted), 'output');
      child.stdin.end();
    });
    expect(got.toString() === wanted, `${got.length} bytes came back, not ${Buffer.byteLength(wanted)}`);
  }
}

const name = (parameters) => !parameters ? 'no compression' :
  Object.entries(parameters).map(([key, value]) => value === true ? key : `${key}=${value}`).join(', ') ||
  'no parameters';

const suite = new Suite('node');
const server = await Server.start('ws_echo_server', '--deflate');
for (const offer of OFFERS)
  await suite.check(`ws_echo_server --deflate, offer: ${name(offer)}`, () => ourServer(server, offer, true), 40000);
await suite.check('ws_echo_server --deflate, no offer', () => ourServer(server, false, false), 40000);
await suite.check('ws_echo_server --deflate, a window of 8 bits is declined',
  () => ourServer(server, { serverMaxWindowBits: 8 }, false), 40000);
await suite.check('ws_echo_server --deflate, 100 connections', () => many(server, 100), 40000);
await suite.check('ws_echo_server --deflate, SIGTERM', () => server.terminate());
for (const [options, answers] of [[[], [false, {}]], [['--deflate'], [...ANSWERS, false]]])
  for (const answer of answers) {
    const title = `${options.join(' ') || 'plain'}, answer: ${name(answer)}`;
    await suite.check(`ws_echo_client ${title}`,
      () => withServer('ws_echo_client', options, answer, asks).then(() => ''), 40000);
    await suite.check(`ws_cat ${title}`, () => cat(options, answer), 40000);
  }
suite.finish();
