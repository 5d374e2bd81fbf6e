/** A relay that a test plays. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A request as its lines: the parser of an endpoint takes no AUTH. */
export interface RelayRequest {
  readonly id: string;
  readonly method: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Status and further header fields that answer the AUTH number `count` (from 0). */
export type RelayScript = (
  auth: RelayRequest,
  count: number,
) => readonly [number, ...string[]] | undefined;

export class ScriptedRelay {
  readonly auths: RelayRequest[] = [];
  readonly sends: RelayRequest[] = [];
  readonly sockets: Socket[] = [];
  script: RelayScript = () => [200];
  #server: Server = createServer();
  #waiting: (() => void)[] = [];

  async open(): Promise<void> {
    this.#server.on('connection', (socket) => {
      this.sockets.push(socket);
      let text = '';
      socket.setEncoding('latin1').on('error', () => undefined);
      socket.on('data', (chunk: string) => {
        text += chunk;
        for (;;) {
          const match = /^MSRP (\S+) ([^]*?)-------\1[$+#]\r\n/.exec(text);
          if (!match) return;
          text = text.slice(match[0].length);
          this.#take(socket, match[1]!, match[2]!);
        }
      });
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  uri(id?: string): string {
    return `msrp://127.0.0.1:${this.port}${id === undefined ? '' : `/${id}`};tcp`;
  }

  async until(condition: (relay: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Answers the AUTH that came last, on the connection that came last. */
  answerLast(answer: readonly [number, ...string[]]): void {
    this.#answer(this.sockets.at(-1)!, this.auths.at(-1)!, answer);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(socket: Socket, id: string, text: string): void {
    const [head = ''] = text.split('\r\n\r\n');
    const [method = '', ...lines] = head.split('\r\n').filter((line) => line !== '');
    const pairs = lines.map((line) => line.split(/: (.*)/s, 2) as [string, string]);
    const request = { id, method, fields: new Map(pairs) };
    if (method === 'AUTH') {
      this.auths.push(request);
      const answer = this.script(request, this.auths.length - 1);
      if (answer) this.#answer(socket, request, answer);
    } else if (method === 'SEND') {
      this.sends.push(request);
      this.#answer(socket, request, [200]);
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #answer(
    socket: Socket,
    { id, fields }: RelayRequest,
    [status, ...more]: readonly [number, ...string[]],
  ): void {
    const to = fields.get('From-Path')!.split(' ')[0]!;
    const from = fields.get('To-Path')!.split(' ')[0]!;
    const lines = [`MSRP ${id} ${status} So`, `To-Path: ${to}`, `From-Path: ${from}`, ...more];
    socket.write(`${lines.join('\r\n')}\r\n-------${id}$\r\n`);
  }
}
