/** The MSRP cases: scenarios of what is sent to a bound session, and what may be answered. */

import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { MsrpParser } from '../../src/wire/msrp/parse.js';
import type { Retrieval } from './retrieval.js';
import type { Place } from './server.js';

type Step =
  | readonly ['send', string]
  | readonly ['bytes', string]
  | readonly ['close', string]
  | readonly ['pause', number]
  | readonly ['expect', string, readonly string[]];

export interface MsrpCase {
  readonly file: string;
  readonly note: string;
  readonly level: string;
  readonly steps: readonly Step[];
}

const folder = new URL('../vectors/msrp-scenarios/', import.meta.url);

export function msrpCases(): MsrpCase[] {
  return readdirSync(folder).map((name) => ({
    ...(JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as MsrpCase),
    file: `own-msrp/${name}`,
  }));
}

/** What a scenario allows, as text. */
export function allowedBy({ steps }: MsrpCase): string {
  const expected = steps.flatMap((step) => (step[0] === 'expect' ? [step[2].join(' or ')] : []));
  return expected.length === 0 ? 'anything' : expected.join('; ');
}

/** Plays a scenario and returns what was answered to each transaction that it looks at. */
export async function play(
  { steps }: MsrpCase,
  session: Retrieval,
  server: Place,
): Promise<{ readonly got: string; readonly allowed: boolean }> {
  const peer = await MsrpPeer.to(server);
  const got: string[] = [];
  let allowed = true;
  for (const step of steps) {
    if (step[0] === 'send') peer.write(fill(step[1], session));
    else if (step[0] === 'bytes') for (const octet of fill(step[1], session)) peer.write(octet);
    else if (step[0] === 'pause') await settle(server);
    else if (step[0] === 'close') peer.end();
    else {
      await settle(server);
      const answer = await peer.answer(step[1], step[2]);
      got.push(answer);
      // 403: a retrieval takes no messages.
      allowed &&= step[2].includes(answer) || (answer === '403' && step[2].includes('200'));
    }
  }
  await settle(server);
  peer.destroy();
  return { got: got.length === 0 ? 'lives' : got.join('; '), allowed };
}

function fill(text: string, { to, from }: Retrieval): string {
  return text
    .replaceAll('{TO}', to)
    .replaceAll('{FROM}', from)
    .replaceAll(/\{B:(\d+)\}/g, (_match, count: string) => 'B'.repeat(Number(count)));
}

/** Two exchanges on connections of their own: whatever was sent before has been read by then. */
async function settle(server: Place): Promise<void> {
  for (const id of ['probe0001', 'probe0002']) {
    const peer = await MsrpPeer.to(server);
    const paths =
      `To-Path: msrp://127.0.0.1:${server.port}/nobody;tcp\r\n` +
      'From-Path: msrp://127.0.0.1:9/probe;tcp\r\n';
    peer.write(`MSRP ${id} SEND\r\n${paths}Message-ID: ${id}\r\n-------${id}$\r\n`);
    if ((await peer.answer(id, [])) !== '481') throw new Error('the server does not answer');
    peer.destroy();
  }
}

class MsrpPeer {
  readonly #socket;
  readonly #statuses = new Map<string, string>();
  #isClosed = false;
  #waiting: (() => void)[] = [];

  constructor(socket: ReturnType<typeof connect>) {
    this.#socket = socket;
    const parser = new MsrpParser({
      head: (head) => {
        if (head.kind === 'response') this.#statuses.set(head.transactionId, String(head.status));
      },
      body: () => undefined,
      end: () => this.#nudge(),
      fault: () => undefined,
    });
    socket.on('data', (chunk: Buffer) => parser.push(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#isClosed = true;
      this.#nudge();
    });
  }

  static async to(server: Place): Promise<MsrpPeer> {
    const socket = connect(server.port, server.address);
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return new MsrpPeer(socket);
  }

  write(text: string): void {
    if (this.#socket.writable) this.#socket.write(text, 'latin1');
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** A status; `closed`; or `none` when that is allowed and nothing has come. */
  async answer(id: string, allowed: readonly string[]): Promise<string> {
    while (!this.#statuses.has(id) && !this.#isClosed && !allowed.includes('none')) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const status = this.#statuses.get(id);
    if (status !== undefined) return status;
    return this.#isClosed && !allowed.includes('none') ? 'closed' : 'none';
  }

  #nudge(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
