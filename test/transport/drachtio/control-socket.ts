/** The server's side of drachtio's control socket: frames of `length#text`, and who is connected. */

import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** drachtio-server gives up on a frame whose length has more digits. */
const lengthDigits = 5;

/** A frame: the first line split at its bars, and what follows it. */
export interface Command {
  readonly tokens: readonly string[];
  readonly text: string;
}

export class ControlSocket {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #client: Socket | undefined;
  #frames = 0;
  /** Commands are read and not answered. */
  isMute = false;

  constructor(perform: (command: Command) => void) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      let waiting = Buffer.alloc(0);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (this.#client === socket) this.#client = undefined;
      });
      socket.on('data', (chunk: Buffer) => {
        waiting = Buffer.concat([waiting, chunk]);
        for (;;) {
          const end = waiting.indexOf('#');
          if (end < 0 && waiting.length <= lengthDigits) return;
          if (end < 0 || end > lengthDigits) {
            socket.destroy();
            return;
          }
          const length = Number(waiting.subarray(0, end).toString());
          if (waiting.length < end + 1 + length) return;
          const frame = waiting.subarray(end + 1, end + 1 + length).toString();
          waiting = waiting.subarray(end + 1 + length);
          this.#client ??= socket;
          if (!this.isMute) perform(commandOf(frame));
        }
      });
    });
  }

  get isConnected(): boolean {
    return this.#client !== undefined;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async open(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Sends a frame: its first line, and a SIP message after it. */
  send(tokens: readonly (string | number)[], message?: Buffer): void {
    const line = [`frame-${++this.#frames}`, ...tokens].join('|');
    const parts = message ? [Buffer.from(`${line}\r\n`), message] : [Buffer.from(line)];
    const frame = Buffer.concat(parts);
    this.#client?.write(Buffer.concat([Buffer.from(`${frame.length}#`), frame]));
  }

  /** Closes the connections, not the listener. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): Promise<void> {
    this.drop();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

function commandOf(frame: string): Command {
  const end = frame.indexOf('\r\n');
  if (end < 0) return { tokens: frame.split('|'), text: '' };
  return { tokens: frame.slice(0, end).split('|'), text: frame.slice(end + 2) };
}
