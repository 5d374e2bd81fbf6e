/** A port for UDP and TCP alike that is likely to be free. */

import { createServer } from 'node:net';

/** A TCP port that nobody uses; that of UDP is most likely free, too. */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
