/** Kamailio with its msrp module as relay, as a child process. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accepts, freePort } from '../loopback-port.js';

export interface Relay {
  readonly port: number;
  stop(): Promise<void>;
}

const configuration = fileURLToPath(new URL('relay.cfg', import.meta.url));
const certificates = new URL('../../transport/msrp/certificates/', import.meta.url);

/** Starts it and waits until it accepts connections. */
export async function startRelay(transport: 'tcp' | 'tls'): Promise<Relay> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-kamailio-'));
  const port = await freePort();
  const file = (name: string): string => fileURLToPath(new URL(name, certificates));
  const tls = ['TLS', `CERTIFICATE="${file('server.pem')}"`, `KEY="${file('server.key')}"`];
  const child = spawn(
    'kamailio',
    [
      ...['-f', configuration, '-DD', '-E', '-m', '64', '-M', '16'],
      ...['-l', `${transport}:127.0.0.1:${port}`, '-Y', directory, '-P', join(directory, 'pid')],
      ...(transport === 'tls' ? tls.flatMap((definition) => ['-A', definition]) : []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  }
  const ended = once(child, 'exit');
  let isOver = false;
  void ended.then(() => (isOver = true));
  while (!(await accepts(port))) if (isOver) throw new Error(`kamailio ended: ${log}`);
  return {
    port,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
