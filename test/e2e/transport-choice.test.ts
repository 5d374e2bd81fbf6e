/** Every request that leaves goes by the transport that its own size asks for (RFC 3261 18.1.1). */

import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Queue, responseTo } from '../../src/testing/sip-peer.js';
import type { SipRequest } from '../../src/wire/sip/message.js';
import { parseSip } from '../../src/wire/sip/parse.js';
import { SipStream } from '../../src/wire/sip/stream.js';
import { withForward } from './forward-scene.js';

interface Came {
  readonly transport: 'udp' | 'tcp';
  readonly request: SipRequest;
  reply(bytes: Buffer): void;
}

/** A client that listens for datagrams and connections at one port. */
class Both {
  readonly came = new Queue<Came>();
  readonly port: number;
  readonly #datagrams: DatagramSocket;
  readonly #stream: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(datagrams: DatagramSocket, stream: Server) {
    this.#datagrams = datagrams;
    this.#stream = stream;
    this.port = (stream.address() as AddressInfo).port;
    datagrams.on('message', (bytes, { port, address }) =>
      this.#take('udp', bytes, (answer) => datagrams.send(answer, port, address)),
    );
    stream.on('connection', (socket) => {
      const parser = new SipStream();
      this.#sockets.add(socket);
      socket.on('data', (chunk: Buffer) => {
        for (const event of parser.push(chunk)) {
          if (event.kind !== 'message') continue;
          this.#take('tcp', event.message.bytes, (answer) => void socket.write(answer));
        }
      });
    });
  }

  static async open(): Promise<Both> {
    for (;;) {
      const stream = createServer().listen(0, '127.0.0.1');
      await once(stream, 'listening');
      const { port } = stream.address() as AddressInfo;
      const datagrams = createSocket('udp4').bind(port, '127.0.0.1');
      const isFree = await once(datagrams, 'listening').then(
        () => true,
        () => false,
      );
      if (isFree) return new Both(datagrams, stream);
      stream.close();
      datagrams.close();
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#stream.close();
    this.#datagrams.close();
  }

  #take(transport: Came['transport'], bytes: Buffer, reply: Came['reply']): void {
    const message = parseSip(bytes);
    if (message.kind === 'request') this.came.push({ transport, request: message, reply });
  }
}

test('U21, TP-01: at 1299, 1300 and 1301 octets, each request for itself, in any order', async () => {
  const client = await Both.open();
  try {
    await withForward(async ({ register, send, answer }) => {
      await register({ at: client });
      let calls = 100;
      /** What the client is passed of a MESSAGE with that body. */
      const passed = async (body: number): Promise<Came> => {
        send({ body: Buffer.alloc(body, 'x'), callId: `size-${++calls}@alice` });
        const came = await client.came.next();
        came.reply(responseTo(came.request, 200, { tag: 'client' }));
        expect((await answer()).status).toBe(200);
        return came;
      };
      const { request } = await passed(200);
      const overhead = request.bytes.length - 200;
      const sizes = [1_301, 1_299, 1_300, 1_301, 1_300];
      const seen: [number, string][] = [];
      for (const size of sizes) {
        const { transport, request: one } = await passed(size - overhead);
        // What counts is the size as a datagram, whose Via asks for rport.
        const rport = transport === 'tcp' ? ';rport'.length : 0;
        seen.push([one.bytes.length + rport, transport]);
      }
      expect(seen).toEqual(sizes.map((size) => [size, size > 1_300 ? 'tcp' : 'udp']));
    });
  } finally {
    client.close();
  }
});
