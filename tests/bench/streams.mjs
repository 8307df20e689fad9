// SPDX-License-Identifier: MIT
// streams.mjs - npm's eventsource-parser as a contestant of build/bench/streams, which starts it and tells it
// what to do: `load LENGTH MOST` and LENGTH bytes of a stream, to be fed MOST bytes at a time; `run TIMES`.
// BENCH_NODE_MODULES names the folder to find it in.
import { createRequire } from 'node:module';
import { readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

function say(text) {
  writeSync(1, `${text}\n`);
}

const folder = process.env.BENCH_NODE_MODULES ?? 'node_modules';
let createParser;
try {
  const require = createRequire(join(folder, 'x.js'));
  createParser = require('eventsource-parser').createParser;
  const { version } = require('eventsource-parser/package.json');
  say(`ready version ${version}, node ${process.versions.node}, bytes decoded by TextDecoder`);
} catch {
  say(`npm's package is not in ${folder}`);
  process.exit(0);
}

let pieces = [];

// What a reader of fetch()'s body does: bytes to text, text to the parser.
function parse(onEvent) {
  const decoder = new TextDecoder();
  const parser = createParser({ onEvent });
  for (const piece of pieces) parser.feed(decoder.decode(piece, { stream: true }));
}

function load(length, most) {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) at += readSync(0, bytes, at, length - at, null);
  pieces = [];
  for (let at = 0; at < length; at += most) pieces.push(bytes.subarray(at, at + most));
  let events = 0;
  let data = 0;
  parse((event) => {
    events++;
    data += Buffer.byteLength(event.data);
  });
  say(`loaded ${events} ${data}`);
}

function run(times) {
  let length = 0;
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) parse((event) => (length += event.data.length));
  const { user, system } = process.cpuUsage(before);
  say(length > 0 ? Math.max(user + system, 1) * 1000 : 0);
}

const byte = Buffer.alloc(1);
for (let line = ''; readSync(0, byte, 0, 1, null) === 1; ) {
  if (byte[0] !== 10) {
    line += byte.toString('latin1');
    continue;
  }
  const [verb, ...numbers] = line.split(' ');
  line = '';
  if (verb === 'load') load(...numbers.map(Number));
  else run(Number(numbers[0]));
}
