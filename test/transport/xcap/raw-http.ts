/** Literal HTTP over a plain socket: what is written is what is sent. */

import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface RawResponse {
  readonly line: string;
  /** As they came. */
  readonly headers: readonly string[];
  readonly body: string;
}

export class RawHttp {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void)[] = [];

  constructor(port: number, host = '127.0.0.1') {
    this.socket = connect(port, host);
    this.socket.on('data', (bytes) => this.#take(bytes));
    this.socket.on('close', () => this.#end());
    this.socket.on('error', () => this.#end());
  }

  get ended(): boolean {
    return this.#ended;
  }

  write(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** The next response; rejects when the connection ends before it does. */
  async response(method = 'GET'): Promise<RawResponse> {
    const head = await this.#until((bytes) => bytes.indexOf('\r\n\r\n'), 4);
    const [line = '', ...headers] = head.toString().slice(0, -4).split('\r\n');
    const value = (name: string) =>
      headers
        .find((header) => header.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim();
    const status = Number(line.split(' ')[1]);
    if (method === 'HEAD' || status === 304 || status < 200) return { line, headers, body: '' };
    if (value('transfer-encoding') === 'chunked') {
      return { line, headers, body: await this.#chunks() };
    }
    const body = await this.#octets(Number(value('content-length') ?? 0));
    return { line, headers, body: body.toString() };
  }

  /** Resolves when the peer has closed the connection. */
  async closed(): Promise<void> {
    while (!this.#ended) await this.#more();
  }

  end(): void {
    this.socket.destroy();
  }

  async #chunks(): Promise<string> {
    const chunks: Buffer[] = [];
    for (;;) {
      const line = await this.#until((bytes) => bytes.indexOf('\r\n'), 2);
      const size = parseInt(line.toString(), 16);
      const chunk = await this.#octets(size + 2);
      if (size === 0) return Buffer.concat(chunks).toString();
      chunks.push(chunk.subarray(0, size));
    }
  }

  async #until(find: (bytes: Buffer) => number, length: number): Promise<Buffer> {
    for (;;) {
      const at = find(this.#bytes);
      if (at >= 0) return this.#octets(at + length);
      if (this.#ended) throw new Error(`ended after ${this.#bytes.toString()}`);
      await this.#more();
    }
  }

  async #octets(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) {
      if (this.#ended) throw new Error(`ended after ${this.#bytes.toString()}`);
      await this.#more();
    }
    const octets = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return octets;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.#wakeAll();
  }

  #end(): void {
    this.#ended = true;
    this.#wakeAll();
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const resolve of waiting) resolve();
  }
}
