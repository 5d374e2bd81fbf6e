/** The sockets of Node. */

import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import type { SocketsPort } from '../../ports.js';

export const nodeSockets: SocketsPort = {
  datagram: (family) =>
    createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      ipv6Only: family === 6,
      // Addresses are numeric here; the default look-up costs a turn of the event loop.
      lookup: (host, _options, found) => found(null, host, family),
    }),
  connect: (host, port) => connect({ host, port, noDelay: true }),
  server: () => createServer({ noDelay: true }),
};
