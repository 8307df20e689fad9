// SPDX-License-Identifier: MIT
// node room_guest.mjs PORT MESSAGE: sends one message to demo_server's room and stays, answering
// pings, until it is stopped or killed.

import { load } from './support.mjs';

const WebSocket = load('ws');
const [port, message] = process.argv.slice(2);
const ws = new WebSocket(`ws://127.0.0.1:${port}/room`);
ws.on('open', () => ws.send(message));
ws.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
ws.on('close', () => process.exit(0));
