/** What transports open sockets with. Part of `ports.ts`. */

import type { Socket as DatagramSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';

/**
 * Plain sockets, of datagrams and of streams. They behave as those of Node, which transports open
 * by themselves when they are not given these; a simulation gives others.
 */
export interface SocketsPort {
  datagram(family: 4 | 6): DatagramSocket;
  /** Begins to connect to a numeric address. */
  connect(host: string, port: number): Socket;
  /** A server that does not listen yet. */
  server(): Server;
}
