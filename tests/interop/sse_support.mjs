// SPDX-License-Identifier: MIT
// What the Node and browser suites about event streams share: streams written by weir, and a proxy that breaks
// connections.

import { spawnSync } from 'node:child_process';
import net from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { BUILD, equal } from './support.mjs';

// Numbers that look random, the same at each run.
export function dice(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

const TEXTS = ['', ' ', '  two', 'x', ':', 'data: x', '\n', '\r', '\r\n', '\n\n', 'a\nb', 'a\r\nb\rc\n', '\r\r\n',
  '\ufeff', '你好', '😀', '\u2028', '\u0000', '\u0085', '\t', 'id: 1\n\ndata: forged', 'event', '"\\', 'x'.repeat(5000)];
const NAMES = ['', 'a', 'update', 'e v', ' lead', '你', ':', 'data'];

// Events as an application has them; the receiver sees every line end as LF.
export function someEvents(seed, count) {
  const roll = dice(seed);
  const pick = (list) => list[roll(list.length)];
  return Array.from({ length: count }, () => {
    if (roll(8) === 0) return { comment: pick(TEXTS) };
    const event = { data: pick(TEXTS) + (roll(3) ? '' : pick(TEXTS)) };
    if (roll(3) === 0) event.type = pick(NAMES);
    if (roll(3) === 0) event.id = pick(NAMES);
    return event;
  });
}

// What a reader must get of them: type, data, last event ID.
export function received(events) {
  let id = '';
  return events.filter((event) => event.data !== undefined).map((event) => {
    id = event.id ?? id;
    return [event.type || 'message', event.data.replace(/\r\n?/g, '\n'), id];
  });
}

// The stream that weir writes for them.
export function written(events) {
  const done = spawnSync(path.join(BUILD, 'tests', 'sse_write'),
    { input: events.map((event) => JSON.stringify(event) + '\n').join(''), maxBuffer: 1 << 28 });
  equal([done.status, String(done.stderr)], [0, ''], 'sse_write');
  return done.stdout;
}

// TCP to `target`, which may be changed. `heads` collects the requests.
export class Proxy {
  static async start(target) {
    const proxy = new Proxy();
    Object.assign(proxy, { target, pairs: new Set(), heads: [], cuts: 0 });
    proxy.server = net.createServer((near) => {
      const far = net.connect(proxy.target, '127.0.0.1');
      const pair = [near, far];
      proxy.pairs.add(pair);
      near.on('data', (data) => { if (/^(GET|POST) /.test(data)) proxy.heads.push(String(data)); });
      for (const side of pair) side.on('error', () => proxy.drop(pair)).on('close', () => proxy.drop(pair));
      near.pipe(far);
      far.pipe(near);
    });
    await once(proxy.server.listen(0, '127.0.0.1'), 'listening');
    proxy.port = proxy.server.address().port;
    return proxy;
  }

  drop(pair) {
    this.pairs.delete(pair);
    for (const side of pair) side.destroy();
  }

  // Breaks every connection; with a reset, as a network that is gone would in the end.
  cut() {
    for (const pair of this.pairs) {
      this.pairs.delete(pair);
      for (const side of pair) side.resetAndDestroy();
      this.cuts++;
    }
  }

  close() {
    this.cut();
    this.server.close();
  }
}

export const lastEventId = (head) => /\r\nlast-event-id: *([^\r]*)\r\n/i.exec(head)?.[1] ?? null;
