/** A user agent as a browser has it: SIP over one WebSocket, with a host that nobody can reach. */

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { Queue } from '../../../src/testing/sip-peer.js';
import type { HeaderField, SipMessage } from '../../../src/wire/sip/message.js';
import { parseSip } from '../../../src/wire/sip/parse.js';
import { serialiseRequest } from '../../../src/wire/sip/serialise.js';

export interface Browser {
  /** What it received. */
  readonly arrivals: Queue<SipMessage>;
  readonly contact: string;
  request(sketch: BrowserRequest): void;
  send(bytes: Buffer): void;
  close(): Promise<void>;
}

export interface BrowserRequest {
  readonly method: string;
  readonly uri: string;
  readonly to?: string;
  readonly headers?: readonly HeaderField[];
  readonly body?: Buffer;
}

const host = 'df7jal23ls0d.invalid';

/** Opens it at a server on that port. */
export async function openBrowser(user: string, port: number): Promise<Browser> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, 'sip');
  const arrivals = new Queue<SipMessage>();
  socket.on('message', (data: Buffer) => arrivals.push(parseSip(data)));
  await once(socket, 'open');
  const aor = `<sip:${user}@example.org>`;
  const contact = `<sip:${user}@${host};transport=ws>`;
  let serial = 0;
  return {
    arrivals,
    contact,
    request({ method, uri, to = `<${uri}>`, headers = [], body }) {
      serial++;
      const fields: HeaderField[] = [
        ['Via', `SIP/2.0/WS ${host};branch=z9hG4bK${user}${serial}`],
        ['Max-Forwards', '70'],
        ['From', `${aor};tag=${user}${serial}`],
        ['To', to],
        ['Call-ID', `${user}-${serial}@${host}`],
        ['CSeq', `1 ${method}`],
        ['P-Asserted-Identity', aor],
        ...headers,
      ];
      socket.send(serialiseRequest({ method, uri, headers: fields, body }), { binary: true });
    },
    send: (bytes) => socket.send(bytes, { binary: true }),
    async close() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}
