/** Kamailio as a proxy that challenges. */

import { fileURLToPath } from 'node:url';
import { startKamailio, type Kamailio } from '../kamailio.js';
import { freePort } from '../../loopback-port.js';

const configuration = fileURLToPath(new URL('proxy.cfg', import.meta.url));

/** Starts it before the server on that TCP port. */
export async function startProxy(
  serverPort: number,
  algorithm: 'MD5' | 'SHA-256',
): Promise<Kamailio> {
  const port = await freePort();
  return startKamailio({
    configuration,
    port,
    listen: [`tcp:127.0.0.1:${port}`, `udp:127.0.0.1:${port}`],
    definitions: [`SERVER="sip:127.0.0.1:${serverPort};transport=tcp"`, `ALGORITHM="${algorithm}"`],
  });
}
