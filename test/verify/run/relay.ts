/** Between the tester and a server: changes what passes, so that the server seems to be broken. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Relay {
  readonly port: number;
  close(): void;
}

/** Datagrams of one peer; `change` sees the request that a response is for. */
export async function relayDatagrams(
  port: number,
  change: (response: string, request: string) => string,
): Promise<Relay> {
  const [near, far] = [createSocket('udp4'), createSocket('udp4')];
  const requests = new Map<string, { readonly text: string; readonly port: number }>();
  near.on('message', (octets, from) => {
    const text = octets.toString('latin1');
    requests.set(branchOf(text), { text, port: from.port });
    far.send(octets, port, '127.0.0.1');
  });
  far.on('message', (octets) => {
    const text = octets.toString('latin1');
    const request = requests.get(branchOf(text));
    if (request === undefined) return;
    const changed = Buffer.from(change(text, request.text), 'latin1');
    near.send(changed, request.port, '127.0.0.1');
  });
  near.bind(0, '127.0.0.1');
  far.bind(0, '127.0.0.1');
  await Promise.all([once(near, 'listening'), once(far, 'listening')]);
  return {
    port: near.address().port,
    close() {
      near.close();
      far.close();
    },
  };
}

function branchOf(text: string): string {
  return /^Via:.*?;branch=([^;\s]+)/im.exec(text)?.[1] ?? '';
}

/** A document as it is answered. */
export interface Answered {
  readonly status: number;
  readonly etag: string | null;
  readonly body: string;
}

/** HTTP; `change` sees what was asked, and whether it is passed on at all: undefined is 200. */
export async function relayHttp(
  port: number,
  { change, isPassed = () => true }: HttpChange,
): Promise<Relay> {
  const serve = async (asked: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const pieces: Buffer[] = [];
    for await (const piece of asked) pieces.push(piece as Buffer);
    const { method = '', url = '', headers } = asked;
    if (!isPassed(method)) {
      answer.end();
      return;
    }
    const { host: _host, connection: _connection, ...others } = headers;
    const isEmpty = method === 'GET' || method === 'DELETE';
    const response = await fetch(`http://127.0.0.1:${port}${url}`, {
      ...{ method, headers: others as Record<string, string> },
      ...(!isEmpty && { body: new Uint8Array(Buffer.concat(pieces)) }),
    });
    const given = { status: response.status, etag: response.headers.get('etag') };
    const { status, etag, body } = change(
      { ...given, body: await response.text() },
      `${method} ${url}`,
    );
    answer.writeHead(status, {
      'Content-Type': response.headers.get('content-type') ?? 'text/plain',
      ...(etag !== null && { ETag: etag }),
    });
    answer.end(body);
  };
  const server = createServer((asked, answer) => void serve(asked, answer));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export interface HttpChange {
  change(answered: Answered, asked: string): Answered;
  isPassed?(method: string): boolean;
}
