/** TCP ports on loopback, for peers that are programs of their own. */

import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo } from 'node:net';

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether something listens there. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // The next attempt comes with the next turn of the event loop.
    socket.on('error', () => setImmediate(resolve, false));
  });
}
