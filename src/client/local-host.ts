/** The own address as a server sees it. */

import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';

/** The address from which this machine reaches the host; nothing is sent. */
export async function hostTowards(host: string, port: number): Promise<string> {
  const { address, family } = await lookup(host);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', resolve);
      socket.connect(port, address);
    });
    return socket.address().address;
  } finally {
    socket.close();
  }
}
