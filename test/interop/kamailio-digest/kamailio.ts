/** Kamailio as a proxy that challenges, as a child process. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accepts, freePort } from '../loopback-port.js';

export interface ChallengingProxy {
  readonly port: number;
  stop(): Promise<void>;
}

const configuration = fileURLToPath(new URL('proxy.cfg', import.meta.url));

/** Starts it before the server on that TCP port, and waits until it accepts connections. */
export async function startProxy(
  serverPort: number,
  algorithm: 'MD5' | 'SHA-256',
): Promise<ChallengingProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-kamailio-'));
  const port = await freePort();
  const child = spawn(
    'kamailio',
    [
      ...['-f', configuration, '-DD', '-E', '-m', '64', '-M', '16'],
      ...[
        '-l',
        `tcp:127.0.0.1:${port}`,
        '-l',
        `udp:127.0.0.1:${port}`,
        '-Y',
        directory,
        '-P',
        join(directory, 'pid'),
      ],
      ...['-A', `SERVER="sip:127.0.0.1:${serverPort};transport=tcp"`],
      ...['-A', `ALGORITHM="${algorithm}"`],
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
