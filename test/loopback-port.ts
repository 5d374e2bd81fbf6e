/**
 * Ports on loopback that belong to a test for as long as it wants, listened on or not.
 *
 * A number that the system has given out (port 0) may go to anybody as soon as it is let go: to
 * the next client that connects, even to the one that calls this very port. So servers that are
 * started again, and programs that are told their port, get numbers below those, and below the
 * ones that clients take for themselves (`src/client/free-port.ts`).
 */

import { createConnection, createServer, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { tryPort } from '../src/client/free-port.js';

/** Below the ephemeral range of Linux, which begins at 32768. */
const first = 10_000;
/** A process, or a worker of vitest, has a span for itself. */
const span = 150;
const spans = 100;
/** A program that starts is asked so often. */
const askedEveryMs = 10;

/** Who listens on the first port of a span owns the others; the system takes it back at the end. */
const owner = own();
let next = 0;

/** A port that nobody listens on, over TCP and UDP, and that nobody else will be given. */
export async function freePort(): Promise<number> {
  const base = await owner;
  for (let tried = 1; tried < span; tried++) {
    next = (next % (span - 1)) + 1;
    const port = base + next;
    const isFree = await tryPort(port, '127.0.0.1').then(
      () => true,
      () => false,
    );
    if (isFree) return port;
  }
  throw new Error(`no port is free from ${base} to ${base + span}`);
}

/** Whether it is one of those: a server's, then, and no client's. */
export function isTestPort(port: number): boolean {
  return port >= first && port < first + spans * span;
}

/** Waits until something listens on that port; `isOver` tells that nothing ever will. */
export async function listening(port: number, isOver: () => boolean): Promise<boolean> {
  while (!(await accepts(port))) {
    if (isOver()) return false;
    await pause(askedEveryMs);
  }
  return true;
}

async function own(): Promise<number> {
  const start = process.pid * 7 + Number(process.env['VITEST_POOL_ID'] ?? 0);
  for (let tried = 0; tried < spans; tried++) {
    const base = first + ((start + tried) % spans) * span;
    const server = await listen(base);
    server?.unref();
    if (server) return base;
  }
  throw new Error(`every span of ports from ${first} is in use`);
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
