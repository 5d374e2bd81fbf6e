/** The server on SipPort of drachtio-srf, as docs/embedding.md shows it. */

import Srf from 'drachtio-srf';
import {
  createActors,
  createLog,
  createMsrpEndpoint,
  openLevelStore,
  settingsOf,
  systemClock,
  systemRandom,
  version,
} from '../../../src/index.js';
import { createDrachtioPort, type DrachtioConnection } from '../../../src/transport/drachtio.js';

/** A server whose SIP goes through a drachtio-server; returns the way to stop it. */
export async function serveThroughDrachtio(connection: DrachtioConnection, directory: string) {
  const world = { clock: systemClock, random: systemRandom, log: createLog('error') };
  const { limits } = settingsOf({ store: { directory } });

  const store = await openLevelStore({ ...world, directory, durability: 'fsync' });
  const sip = createDrachtioPort({ ...world, connection, createSrf: () => new Srf() });
  const msrp = createMsrpEndpoint({ ...world, host: '127.0.0.1', port: 0 });
  const actors = createActors({
    ...{ ...world, store, sip, msrp, limits, version },
    hostname: 'store.example.org',
    domains: ['example.org'],
    trustedPeers: ['127.0.0.1/32'],
  });

  await actors.start();
  await msrp.start(actors.msrpHandler);
  await sip.start(actors.sipHandler);

  return async (graceMs = 5000) => {
    await sip.stop(graceMs);
    await actors.stop(graceMs);
    await msrp.stop(graceMs);
    await store.close();
  };
}
