/** A port for UDP and TCP alike that is free, and that nobody is given by chance. */

import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/**
 * Linux gives out ports from 32768 on to whoever asks for any, clients that connect included; one
 * from below stays with those who use it, also while they are started again.
 */
const lowest = 25_000;
const highest = 32_767;
const attempts = 20;

/** Resolves with such a port of that host; rejects when none is found. */
export async function freePort(host: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = randomInt(lowest, highest + 1);
    try {
      await tryPort(port, host);
      return port;
    } catch (error) {
      if (attempt === attempts) throw error;
    }
  }
}

/** Rejects when somebody has that port, over TCP or UDP. */
export async function tryPort(port: number, host: string): Promise<void> {
  await tryStream(port, host);
  await tryDatagrams(port, host);
}

function tryStream(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

function tryDatagrams(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error) => socket.close(() => reject(error)));
    socket.bind(port, host, () => socket.close(() => resolve()));
  });
}
