// SPDX-License-Identifier: MIT
// Starts the programs under test for the Node suites and prints one line for each check.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';

export const BUILD = path.resolve(process.env.BUILD ?? 'build');

// The packages live beside the build, never in the source tree.
export const load = createRequire(path.join(BUILD, 'interop', 'package.json'));

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export function expect(condition, text) {
  if (!condition) throw new Error(text);
}

export function equal(got, wanted, what) {
  const show = (value) => String(JSON.stringify(value)).slice(0, 120);
  if (JSON.stringify(got) !== JSON.stringify(wanted))
    throw new Error(`${what}: got ${show(got)}, wanted ${show(wanted)}`);
}

export function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export async function until(ms, condition, what) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await sleep(25);
  }
}

export class Suite {
  constructor(name) {
    this.name = name;
    this.failed = 0;
    process.on('SIGTERM', () => process.exit(143));
  }

  async check(name, call, limit = 15000) {
    const start = Date.now();
    try {
      const note = await within(limit, call(), 'the check');
      const took = Date.now() - start;
      const slow = took >= 1000 ? ` (${(took / 1000).toFixed(1)} s)` : '';
      console.log(`ok   ${this.name}: ${name}${note ? ` [${note}]` : ''}${slow}`);
    } catch (error) {
      this.failed++;
      const text = String(error?.message ?? error).replace(/\s+/g, ' ').slice(0, 400);
      console.log(`FAIL ${this.name}: ${name}: ${text}`);
    }
  }

  finish() {
    process.exit(this.failed ? 1 : 0);
  }
}

// One program of build/examples on a free port of 127.0.0.1.
export class Server {
  static async start(program, ...options) {
    const server = new Server();
    server.errors = '';
    server.process = spawn(path.join(BUILD, 'examples', program),
      ['--host', '127.0.0.1', '--port', '0', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    process.on('exit', () => server.process.kill('SIGKILL'));
    server.ended = once(server.process, 'exit');
    server.process.stderr.on('data', (data) => { server.errors = (server.errors + data).slice(-2000); });
    let line = '';
    const ready = new Promise((done, fail) => {
      server.process.stdout.on('data', (data) => {
        line += data;
        const found = /^listening on 127\.0\.0\.1:(\d+)\n/.exec(line);
        if (found) done(Number(found[1]));
      });
      server.process.once('error', fail);
      server.ended.then(() => fail(new Error(`${program} ended: ${line}${server.errors}`)), fail);
    });
    ready.catch(() => {});
    server.port = await within(5000, ready, `${program}: the line "listening on"`);
    return server;
  }

  alive() {
    expect(this.process.exitCode === null && this.process.signalCode === null,
      `the server ended: ${this.process.exitCode} ${this.process.signalCode} ${this.errors}`);
  }

  async terminate() {
    this.alive();
    const start = Date.now();
    this.process.kill('SIGTERM');
    const [code, signal] = await within(5000, this.ended, 'exit after SIGTERM');
    equal([code, signal], [0, null], `exit (${this.errors})`);
    const took = Date.now() - start;
    expect(took <= 2100, `exit took ${took} ms`);
    return `exit 0 after ${took} ms`;
  }

  // Resident memory in bytes.
  rss() {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.process.pid}/status`, 'utf8'))[1]) * 1024;
  }
}
