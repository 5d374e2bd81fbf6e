/** Kamailio as TLS proxy before a server. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startKamailio, type Kamailio } from '../kamailio.js';
import { freePort } from '../../loopback-port.js';

const configuration = fileURLToPath(new URL('proxy.cfg', import.meta.url));
const template = new URL('tls.cfg.template', import.meta.url);
const vectors = fileURLToPath(new URL('../../vectors/tls', import.meta.url));

export interface TlsProxy extends Kamailio {
  /** Takes TCP, for a user agent without TLS. */
  readonly plainPort: number;
}

/** Starts it before the server on that port. */
export async function startProxy(serverPort: number): Promise<TlsProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-kamailio-tls-'));
  const port = await freePort();
  const plainPort = await freePort();
  const tlsConfiguration = join(directory, 'tls.cfg');
  writeFileSync(tlsConfiguration, readFileSync(template, 'utf8').replaceAll('VECTORS', vectors));
  const kamailio = await startKamailio({
    configuration,
    port,
    listen: [`tls:127.0.0.1:${port}`, `tcp:127.0.0.1:${plainPort}`],
    definitions: [
      `SERVER="sip:127.0.0.1:${serverPort};transport=tls"`,
      `TLS_CONFIG="${tlsConfiguration}"`,
    ],
  });
  return {
    ...kamailio,
    plainPort,
    async stop() {
      await kamailio.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
