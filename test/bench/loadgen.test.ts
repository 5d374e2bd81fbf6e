/** The load generator tells times from the moment a request is due, and of nothing before it. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { isInstalled } from '../server-process.js';

interface Outcome {
  readonly acked: number;
  readonly lat_us: { readonly p50: number };
}

const source = fileURLToPath(new URL('../../bench/lib/loadgen.mjs', import.meta.url));
const { buildLoadgen, loadgen } = (await import(pathToFileURL(source).href)) as {
  buildLoadgen: () => void;
  loadgen: (mode: string, options: object) => Promise<Outcome>;
};

const hasCompiler = isInstalled('cc');
if (!hasCompiler) console.info('skipped: there is no `cc`');

let socket: Socket;

afterEach(() => socket.close());

test.skipIf(!hasCompiler)(
  'an offered rate: what is answered at once took no interval',
  async () => {
    socket = await answeringAtOnce();
    buildLoadgen();
    const target = `127.0.0.1:${socket.address().port}`;
    const load = { users: 1, domain: 'example.test', transport: 'udp', body: 50 };
    const outcome = await loadgen('store', { target, ...load, count: 2, rate: 1 });
    expect(outcome.acked).toBe(2);
    // An interval is a second.
    expect(outcome.lat_us.p50).toBeLessThan(900_000);
  },
);

/** A server that keeps nothing. */
async function answeringAtOnce(): Promise<Socket> {
  const server = createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('message', (request, { address, port }) => {
    const copied = request
      .toString('latin1')
      .split('\r\n')
      .filter((line) => /^(?:Via|From|To|Call-ID|CSeq):/.test(line));
    const head = ['SIP/2.0 202 Accepted', ...copied, 'Content-Length: 0', '', ''];
    server.send(head.join('\r\n'), port, address);
  });
  return server;
}
