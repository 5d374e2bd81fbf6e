/** A drachtio port before a stand-in of the server, with a clock that stands still. */

import Srf from 'drachtio-srf';
import type { Log } from '../../../src/ports.js';
import { systemRandom } from '../../../src/system.js';
import { ManualClock } from '../../../src/testing/clock.js';
import {
  createDrachtioPort,
  type DrachtioLimits,
  type DrachtioOptions,
  type DrachtioPort,
} from '../../../src/transport/drachtio.js';
import { secret, StandIn } from './stand-in.js';

export interface Opened {
  readonly port: DrachtioPort;
  readonly server: StandIn;
  readonly clock: ManualClock;
  /** Codes that were logged. */
  readonly codes: string[];
}

/** The server runs, the port is made and not started. */
export async function openDrachtio(
  transport: 'udp' | 'tcp',
  limits: Partial<DrachtioLimits> = {},
  options: Partial<DrachtioOptions> = {},
): Promise<Opened> {
  const clock = new ManualClock();
  const server = new StandIn(transport, clock);
  await server.start();
  const codes: string[] = [];
  const keep = (fields: object): void => {
    if ('code' in fields) codes.push(String(fields.code));
  };
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep };
  const port = createDrachtioPort({
    createSrf: () => new Srf(),
    connection: { host: '127.0.0.1', port: server.control.port, secret },
    clock,
    random: systemRandom,
    log,
    // Time moves on while a confirmation is on its way.
    limits: { commandMs: 3_600_000, ...limits },
    ...options,
  });
  return { port, server, clock, codes };
}
