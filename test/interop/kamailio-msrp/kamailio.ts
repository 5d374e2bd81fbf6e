/** Kamailio as an MSRP relay. */

import { fileURLToPath } from 'node:url';
import { startKamailio, type Kamailio } from '../kamailio.js';
import { freePort } from '../../loopback-port.js';

const configuration = fileURLToPath(new URL('relay.cfg', import.meta.url));
const certificates = new URL('../../transport/msrp/certificates/', import.meta.url);

/** Starts it on a free port. */
export async function startRelay(transport: 'tcp' | 'tls'): Promise<Kamailio> {
  const port = await freePort();
  const file = (name: string): string => fileURLToPath(new URL(name, certificates));
  const tls = ['TLS', `CERTIFICATE="${file('server.pem')}"`, `KEY="${file('server.key')}"`];
  return startKamailio({
    configuration,
    port,
    listen: [`${transport}:127.0.0.1:${port}`],
    definitions: transport === 'tls' ? tls : [],
  });
}
