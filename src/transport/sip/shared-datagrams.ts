/** UDP sockets of another process, handed over to send by: answers leave without a second hop. */

import type { Socket } from 'node:dgram';

/** What a handed-over socket received although somebody else is to read. */
export type Stray = (socket: number, bytes: Buffer, address: string, port: number) => void;

/** What Node keeps below a socket. */
interface Handle {
  recvStop(): unknown;
  lookup: (address: string, found: (error: null, address: string) => void) => void;
}

export class SharedDatagrams {
  readonly #sockets = new Map<number, Socket>();
  readonly #stray: Stray;

  constructor(stray: Stray) {
    this.#stray = stray;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** `index`: its place among the listeners for UDP. */
  add(index: number, socket: Socket): void {
    // A datagram that cannot be sent is lost; its transaction repeats it or ends.
    socket.on('error', () => undefined);
    socket.on('message', (bytes, { address, port }) => this.#stray(index, bytes, address, port));
    leaveToRead(socket);
    this.#sockets.set(index, socket);
  }

  /** False: there is no such socket here. */
  send(index: number, bytes: Buffer, address: string, port: number): boolean {
    const socket = this.#sockets.get(index);
    socket?.send(bytes, port, address);
    return socket !== undefined;
  }
}

/**
 * Whoever has a socket in Node reads from it, too, and nothing public stops that. Where its inside
 * is not as expected the socket goes on reading, and what it reads is passed on as a stray.
 */
function leaveToRead(socket: Socket): void {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'state symbol',
  );
  const inside = socket as unknown as Record<symbol, { handle?: Partial<Handle> | null }>;
  const handle = symbol && inside[symbol]?.handle;
  if (typeof handle?.recvStop !== 'function') return;
  handle.recvStop();
  // Addresses are numeric here; the default look-up costs a turn of the event loop.
  handle.lookup = (address, found) => found(null, address);
}
