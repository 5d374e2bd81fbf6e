/** A WebSocket client of MSRP that speaks raw frames (RFC 7977). */

import { once } from 'node:events';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import type { MsrpHead } from '../../../src/wire/msrp/frame.js';
import { MsrpParser } from '../../../src/wire/msrp/parse.js';
import { authorities } from './certificates.js';

/** As a browser has it: nobody can connect to it. */
export const clientUri = 'msrps://df7jal23ls0d.invalid:2855/98cjs;ws';

interface Message {
  readonly heads: MsrpHead[];
  readonly body: Buffer;
  readonly flags: string[];
}

/** A client that takes every WebSocket message apart on its own. */
export class WebSocketClient {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  #waiting: (() => void)[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      const message: { heads: MsrpHead[]; body: Buffer; flags: string[] } = {
        ...{ heads: [], flags: [], body: Buffer.alloc(0) },
      };
      const parser = new MsrpParser({
        head: (head) => message.heads.push(head),
        body: (bytes) => (message.body = Buffer.concat([message.body, bytes])),
        end: (flag) => message.flags.push(flag),
        fault: ({ error }) => {
          throw error;
        },
      });
      parser.push(data);
      // One frame, and all of it.
      expect([message.heads.length, message.flags.length, parser.idle]).toEqual([1, 1, true]);
      this.messages.push(message);
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  static async to(port: number, scheme = 'wss', protocol = 'msrp'): Promise<WebSocketClient> {
    const url = `${scheme}://127.0.0.1:${port}/`;
    const socket = new WebSocket(url, protocol, { ca: authorities });
    const client = new WebSocketClient(socket);
    await once(socket, 'open');
    return client;
  }

  async until(condition: (client: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  send(
    uri: string,
    id: string,
    more: { readonly rest?: string; readonly flag?: string; readonly messageId?: string } = {},
  ): void {
    const { rest = '', flag = '$', messageId = `msg${id}` } = more;
    const head = `To-Path: ${uri}\r\nFrom-Path: ${clientUri}\r\nMessage-ID: ${messageId}\r\n`;
    this.socket.send(`MSRP ${id} SEND\r\n${head}${rest}-------${id}${flag}\r\n`);
  }

  /** Tells that all of a message is there. */
  report(head: MsrpHead, messageId: string, octets: number): void {
    const paths = `To-Path: ${head.fromPath[0]!}\r\nFrom-Path: ${head.toPath[0]!}\r\n`;
    const range = `Byte-Range: 1-${octets}/${octets}\r\nStatus: 000 200 OK\r\n`;
    const text = `${paths}Message-ID: ${messageId}\r\n${range}`;
    this.socket.send(`MSRP report1 REPORT\r\n${text}-------report1$\r\n`);
  }

  answer({ transactionId: id, fromPath, toPath }: MsrpHead): void {
    const paths = `To-Path: ${fromPath[0]!}\r\nFrom-Path: ${toPath[0]!}\r\n`;
    this.socket.send(`MSRP ${id} 200 OK\r\n${paths}-------${id}$\r\n`);
  }
}
