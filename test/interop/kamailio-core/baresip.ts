/** baresip as a phone that watches message waiting, as a child process under remote control. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from '../../../src/testing/sip-peer.js';
import { freePort, listening } from '../../loopback-port.js';

export interface Phone {
  /** Message summaries as it was notified of them, in order. */
  readonly summaries: Queue<string>;
  /** What it has printed. */
  output(): string;
  stop(): Promise<void>;
}

const modules = ['account.so', 'mwi.so', 'menu.so', 'ctrl_tcp.so'];

/** Registers `user` at the proxy on that port; its module `mwi` subscribes then. */
export async function startPhone(user: string, proxyPort: number): Promise<Phone> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-baresip-'));
  const control = await freePort();
  const settings = [
    'sip_listen 127.0.0.1:0',
    'module_path /usr/lib/baresip/modules',
    `ctrl_tcp_listen 127.0.0.1:${control}`,
    ...modules.map((name) => `module_app ${name}`),
  ];
  writeFileSync(join(directory, 'accounts'), '');
  writeFileSync(join(directory, 'config'), `${settings.join('\n')}\n`);
  const child = spawn('baresip', ['-4', '-f', directory], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = once(child, 'exit');
  let isOver = false;
  void ended.then(() => (isOver = true));
  if (!(await listening(control, () => isOver))) throw new Error(`baresip ended: ${output}`);
  const summaries = new Queue<string>();
  const socket = connect(control, '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text;
    for (let next = netstring(received); next; next = netstring(received)) {
      received = next.rest;
      const said = JSON.parse(next.text) as { type?: string; param?: string };
      if (said.type === 'MWI_NOTIFY') summaries.push(said.param!);
    }
  });
  // An account of its configuration could be registered before `mwi` is ready for that.
  const account = `<sip:${user}@example.org>;auth_pass=none;regint=600;mwi=yes`;
  const params = `${account};outbound="sip:127.0.0.1:${proxyPort}"`;
  const command = JSON.stringify({ command: 'uanew', params });
  socket.write(`${command.length}:${command},`);
  return {
    summaries,
    output: () => output,
    async stop() {
      socket.destroy();
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function netstring(text: string): { readonly text: string; readonly rest: string } | undefined {
  const head = /^(\d+):/.exec(text);
  if (!head) return undefined;
  const start = head[0].length;
  const end = start + Number(head[1]);
  if (text.length <= end) return undefined;
  return { text: text.slice(start, end), rest: text.slice(end + 1) };
}
