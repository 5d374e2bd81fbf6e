/** The IM client joined to real sockets: the one file of the client that knows the transports. */

import type { Log, SipReceived } from '../ports.js';
import { systemClock, systemRandom } from '../system.js';
import { createMsrpEndpoint } from '../transport/msrp/endpoint.js';
import { createSipEndpoint, type SipEndpoint } from '../transport/sip/endpoint.js';
import type { SipListener } from '../transport/sip/options.js';
import { version } from '../version.js';
import { Client, type OpenPorts } from './client.js';
import { freePort } from './free-port.js';
import type { ImClient, ImClientOptions } from './im-client.js';
import { Parties } from './party.js';
import { clientLimits, waitsOf, type ClientWorld } from './world.js';

export { ClientError } from './im-client.js';
export type {
  ClientErrorCode,
  ClientLimits,
  DeliveredMessage,
  EncapsulationForm,
  ImClient,
  ImClientOptions,
  MessageWaiting,
  Outcome,
  RegisterOutcome,
  RetrieveOptions,
  RetrieveOutcome,
  SendOptions,
  SendOutcome,
  WaitingClass,
  WatchOptions,
} from './im-client.js';

/** Both transports on one port; another process may be faster. */
const portAttempts = 5;
/** SDP-06: the port of an endpoint that opens the connection itself. */
const activePort = 9;

const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Makes a client; nothing is opened before `start`. */
export function createImClient(options: ImClientOptions): ImClient {
  const parties = new Parties();
  const limits = { ...clientLimits, ...options.limits };
  const log = options.log ?? silent;
  const shared = {
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    log,
    ...(options.trace && { trace: options.trace }),
  };
  const host = options.local?.host ?? '127.0.0.1';
  const msrp = createMsrpEndpoint({
    ...shared,
    host,
    port: 0,
    ...(options.msrpRole !== 'passive' && { advertisedPort: activePort }),
    limits: { messageBytes: limits.messageBytes },
  });
  const sipAt = (port: number): SipEndpoint =>
    createSipEndpoint({ ...shared, listeners: listenersAt(host, port) });
  let sip = sipAt(0);
  const world: ClientWorld = {
    options,
    limits,
    waits: waitsOf(limits),
    get sip() {
      return sip;
    },
    msrp,
    parties,
    ...shared,
    product: `PosteRestante/${version}`,
    trouble: (error) => {
      log.warn({ code: error.code, status: error.status }, error.message);
      options.onTrouble?.(error);
    },
  };
  const open = async (outside: (received: SipReceived) => void): Promise<OpenPorts> => {
    await msrp.start(parties.msrpHandler());
    const handler = parties.sipHandler(outside);
    const port = await startSip(host, options.local?.port ?? 0, (at) => {
      sip = sipAt(at);
      return sip.start(handler).catch(async (error: unknown) => {
        await sip.stop(0);
        throw error;
      });
    }).catch(async (error: unknown) => {
      await msrp.stop(0);
      throw error;
    });
    const close = async (graceMs: number): Promise<void> => {
      await sip.stop(graceMs);
      await msrp.stop(graceMs);
    };
    return { address: { host, port }, close };
  };
  return new Client(world, open);
}

function listenersAt(host: string, port: number): SipListener[] {
  return [
    { transport: 'udp', host, port },
    { transport: 'tcp', host, port },
  ];
}

/** Starts on the port wanted, or on one that is free for both transports. */
async function startSip(
  host: string,
  wanted: number,
  start: (port: number) => Promise<void>,
): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = wanted === 0 ? await freePort(host) : wanted;
    try {
      await start(port);
      return port;
    } catch (error) {
      if (wanted !== 0 || attempt === portAttempts) throw error;
    }
  }
}
