/** Kamailio as TLS proxy before a server, as a child process. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accepts, freePort } from '../loopback-port.js';

export interface Proxy {
  readonly port: number;
  /** What it has logged. */
  log(): string;
  stop(): Promise<void>;
}

const configuration = fileURLToPath(new URL('proxy.cfg', import.meta.url));
const template = new URL('tls.cfg.template', import.meta.url);
const vectors = fileURLToPath(new URL('../../vectors/tls', import.meta.url));

/** Starts it before the server on that port, and waits until it accepts connections. */
export async function startProxy(serverPort: number): Promise<Proxy> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-kamailio-'));
  const port = await freePort();
  const tlsConfiguration = join(directory, 'tls.cfg');
  writeFileSync(tlsConfiguration, readFileSync(template, 'utf8').replaceAll('VECTORS', vectors));
  const server = `sip:127.0.0.1:${serverPort};transport=tls`;
  const child = spawn(
    'kamailio',
    [
      ...['-f', configuration, '-DD', '-E', '-m', '64', '-M', '16'],
      ...['-l', `tls:127.0.0.1:${port}`, '-Y', directory, '-P', join(directory, 'pid')],
      ...['-A', `SERVER="${server}"`, '-A', `TLS_CONFIG="${tlsConfiguration}"`],
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
    log: () => log,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
