// SPDX-License-Identifier: MIT
// ws_echo_server as the npm package `ws` sees it, and beside a raw peer that never reads.

import net from 'node:net';
import { once } from 'node:events';
import { Server, Suite, equal, expect, load, sleep, until, within } from './support.mjs';

const WebSocket = load('ws');
const MIB = 1 << 20;
const WORDS = '你好,世界 👩‍👩‍👧‍👦 κόσμε';

// An open connection whose messages can be awaited one by one.
class Client {
  static async open(server, options = {}) {
    const client = new Client();
    client.queue = [];
    client.waiting = [];
    client.ws = new WebSocket(`ws://127.0.0.1:${server.port}/any?x=y`, options.protocols ?? [],
      { maxPayload: 0, handshakeTimeout: 5000, ...options });
    client.ws.on('error', (error) => { client.error = error; });
    client.ws.on('message', (data, binary) => {
      const message = binary ? data : data.toString();
      const next = client.waiting.shift();
      if (next) next(message);
      else client.queue.push(message);
    });
    client.closed = once(client.ws, 'close').then(([code, reason]) => [code, reason.toString()]);
    client.closed.catch(() => {});
    await within(5000, once(client.ws, 'open'), 'the opening handshake');
    return client;
  }

  async receive(ms = 20000) {
    if (this.queue.length) return this.queue.shift();
    return within(ms, new Promise((done) => this.waiting.push(done)), 'a message');
  }

  async echo(message) {
    this.ws.send(message);
    const got = await this.receive();
    expect(typeof got === typeof message, `a message of another type came back`);
    const same = typeof got === 'string' ? got === message : got.equals(message);
    expect(same, `another message came back (${got.length} for ${message.length})`);
  }

  async close(code, reason) {
    this.ws.close(code, reason);
    return within(5000, this.closed, 'the end');
  }
}

async function sizes(server, size) {
  const client = await Client.open(server);
  equal(client.ws.extensions, '', 'extensions');
  await client.echo('a'.repeat(size));
  await client.echo(Buffer.alloc(size, 0xa5));
  equal(await client.close(1000), [1000, ''], 'the end');
}

async function fragmented(server) {
  const client = await Client.open(server);
  const pieces = [...'你好🎉'.repeat(100)];
  for (const [at, piece] of pieces.entries())
    client.ws.send(piece, { fin: at === pieces.length - 1 });
  equal(await client.receive(), pieces.join(''), 'text');
  for (let at = 0; at < 64; at++) client.ws.send(Buffer.alloc(1000, at), { binary: true, fin: at === 63 });
  equal((await client.receive()).length, 64000, 'bytes');
  await client.close(1000);
}

async function pings(server) {
  const client = await Client.open(server);
  const pongs = [];
  client.ws.on('pong', (data) => pongs.push(data.toString()));
  const sent = ['', 'x', 'y'.repeat(125), ...Array.from({ length: 100 }, (_, at) => `p${at}`)];
  for (const payload of sent) client.ws.ping(payload);
  await until(5000, () => pongs.length >= sent.length, 'all pongs');
  equal(pongs, sent, 'pongs');
  client.ws.pong('unasked');
  await client.echo('alive');
  await client.close(1000);
}

async function burst(server, count) {
  const client = await Client.open(server);
  for (let at = 0; at < count; at++) client.ws.send(`message ${at}`);
  for (let at = 0; at < count; at++) {
    const got = await client.receive();
    if (got !== `message ${at}`) throw new Error(`"${got}" at ${at}`);
  }
  await client.close(1000);
}

async function ourClose(server, code, reason, wanted = code) {
  const client = await Client.open(server);
  client.ws.send('last');
  const [got] = await client.close(code, reason);
  equal(got, wanted, 'code in the server\'s Close');
  equal(client.queue, ['last'], 'what came before the end');
  expect(!client.error, `error ${client.error?.message}`);
}

async function theirClose(server, bytes, code) {
  const client = await Client.open(server);
  client.ws.send('before');
  client.ws._socket.write(bytes);
  const [got] = await within(5000, client.closed, 'the end');
  equal(got, code, 'code in the server\'s Close');
  equal(client.queue, ['before'], 'what came before the fault');
}

async function tooBig(server) {
  const client = await Client.open(server);
  client.ws.send(Buffer.alloc(32 * MIB + 1));
  const [code] = await within(20000, client.closed, 'the end');
  equal(code, 1009, 'code in the server\'s Close');
}

async function crowd(server, count) {
  const clients = await Promise.all(Array.from({ length: count }, () => Client.open(server)));
  await Promise.all(clients.map((client, at) => client.echo(`${at} ${WORDS}`)));
  const ends = await Promise.all(clients.map((client) => client.close(1000)));
  expect(ends.every(([code]) => code === 1000), 'another close code than 1000');
}

const HEAD = 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

function binaryFrame(size) {
  const header = Buffer.alloc(14);
  header[0] = 0x82;
  header[1] = 0xff;
  header.writeBigUInt64BE(BigInt(size), 2);
  return Buffer.concat([header, Buffer.alloc(size)]);
}

// Up to 300 MB into a server whose answers are never read: it must stop reading, not collect.
async function deaf(server) {
  const bystander = await Client.open(server);
  const before = server.rss();
  const socket = net.connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(HEAD);
  await within(5000, once(socket, 'data'), 'the 101');
  socket.pause();
  const data = binaryFrame(MIB);
  let sent = 0;
  let top = before;
  let worst = 0;
  let quiet = 0;
  let trips = 0;
  while (sent < 300e6 && quiet < 10) {
    const start = performance.now();
    await bystander.echo('still there?');
    worst = Math.max(worst, performance.now() - start);
    trips++;
    top = Math.max(top, server.rss());
    if (socket.writableLength < 4 * MIB) {
      socket.write(data);
      sent += data.length;
      quiet = 0;
    } else {
      quiet++;
      await sleep(100);
    }
  }
  sent -= socket.writableLength;
  socket.destroy();
  await bystander.close(1000);
  const grown = top - before;
  expect(grown < 64 * MIB, `memory grew by ${grown >> 20} MiB while ${sent >> 20} MiB were sent`);
  expect(worst < 500, `a bystander waited ${worst.toFixed()} ms`);
  return `${sent >> 20} MiB taken, +${grown >> 10} KiB, bystander at most ${worst.toFixed()} ms of ${trips}`;
}

async function goingAway(server) {
  const clients = await Promise.all(Array.from({ length: 100 }, () => Client.open(server)));
  for (const client of clients) for (let at = 0; at < 20; at++) client.ws.send(`turn ${at}`);
  await Promise.all(clients.map((client) => client.receive()));
  await sleep(200);
  const start = Date.now();
  const ending = server.terminate();
  ending.catch(() => {}); // awaited below, unless an earlier fault is reported
  const ends = await within(5000, Promise.all(clients.map((client) => client.closed)), 'all closed');
  const took = Date.now() - start;
  expect(ends.every(([code]) => code === 1001), `close codes ${[...new Set(ends.map(([code]) => code))]}`);
  expect(clients.every((client) => client.queue.length === 19), 'an echo was lost');
  expect(took <= 2000, `the last Close came after ${took} ms`);
  return ending;
}

const suite = new Suite('node');
const server = await Server.start('ws_echo_server');
for (const size of [0, 1, 125, 126, 127, 65535, 65536, MIB, 16 * MIB])
  await suite.check(`text and binary of ${size} bytes`, () => sizes(server, size), 60000);
await suite.check('Chinese and emoji', async () => {
  const client = await Client.open(server);
  await client.echo(WORDS);
  await client.echo(WORDS.repeat(10000));
  await client.close(1000);
});
await suite.check('without offering extensions', async () => {
  const client = await Client.open(server, { perMessageDeflate: false });
  await client.echo('plain');
  await client.close(1000);
});
await suite.check('a subprotocol that is offered is not chosen', async () => {
  const client = await Client.open(server, { protocols: ['a', 'b'] }).then(
    () => 'open', (error) => error.message);
  expect(/no subprotocol/i.test(client) || client === 'open', client);
});
await suite.check('fragmented messages', () => fragmented(server));
await suite.check('pings', () => pings(server));
await suite.check('10,000 messages in a burst', () => burst(server, 10000), 30000);
await suite.check('200 connections at once', () => crowd(server, 200));
for (const [code, reason] of [[1000, ''], [1001, 'leaving'], [1011, 'oops'], [3000, '你好'],
  [4999, 'a'.repeat(123)]])
  await suite.check(`our Close ${code}`, () => ourClose(server, code, reason));
await suite.check('our Close without a code', () => ourClose(server, undefined, undefined, 1005));
for (const [name, bytes, code] of [
  ['unmasked frame', [0x81, 0x01, 0x61], 1002],
  ['bad UTF-8', [0x81, 0x81, 0, 0, 0, 0, 0xff], 1007],
  ['reserved bit', [0xc1, 0x80, 0, 0, 0, 0], 1002],
  ['2^62 bytes', [0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1009]])
  await suite.check(`${name} is answered with ${code}`, () => theirClose(server, Buffer.from(bytes), code));
await suite.check('32 MiB and a byte is answered with 1009', () => tooBig(server), 40000);
await suite.check('a peer that sends and never reads', () => deaf(server), 60000);
await suite.check('SIGTERM: queued echoes, then 1001', () => goingAway(server));
suite.finish();
