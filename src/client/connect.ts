/** The IM client joined to real sockets: the one file of the client that knows the transports. */

import type { Clock, Log, Random, SipPort, SocketsPort, Trace } from '../ports.js';
import { systemClock, systemRandom } from '../system.js';
import { createMsrpEndpoint, type MsrpEndpoint } from '../transport/msrp/endpoint.js';
import { createSipEndpoint, type SipEndpoint } from '../transport/sip/endpoint.js';
import type { SipListener } from '../transport/sip/options.js';
import { version } from '../version.js';
import { AuthenticatingSip } from './authentication.js';
import { Client } from './client.js';
import { freePort } from './free-port.js';
import { ClientError, type ImClient, type ImClientOptions } from './im-client.js';
import { hostTowards } from './local-host.js';
import { Parties } from './party.js';
import { userOf } from './request.js';
import { clientLimits, waitsOf, type ClientWorld } from './world.js';

export { ClientError } from './im-client.js';
export type { ClientCredentials } from './realms.js';
export { FileContent } from './content.js';
export type * from './im-client.js';

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
  const log = options.log ?? silent;
  const limits = { ...clientLimits, ...options.limits };
  const shared: Shared = {
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    log,
    ...(options.trace && { trace: options.trace }),
    ...(options.sockets && { sockets: options.sockets }),
  };
  const parties = new Parties();
  let endpoints: Endpoints | undefined;
  const opened = (): Endpoints => {
    if (!endpoints) throw new ClientError('CLIENT_USAGE', 'the client is not started');
    return endpoints;
  };
  const authenticating = authenticatingSip(options, {
    random: shared.random,
    port: () => opened().sip,
    unproven: (method) => world.trouble(new ClientError('CLIENT_UNPROVEN', unproven(method))),
  });
  const world: ClientWorld = {
    options,
    limits,
    waits: waitsOf(limits),
    get sip() {
      return authenticating ?? opened().sip;
    },
    get msrp() {
      return opened().msrp;
    },
    parties,
    ...shared,
    product: `PosteRestante/${version}`,
    trouble: (error) => {
      log.warn({ code: error.code, status: error.status }, error.message);
      options.onTrouble?.(error);
    },
  };
  return new Client(world, async (outside) => {
    const { server, local } = options;
    const host = local?.host ?? (await hostTowards(server.host, server.port));
    const msrp = msrpAt(host, world, shared);
    await msrp.start(parties.msrpHandler());
    const plain = parties.sipHandler(outside);
    const handler = authenticating?.handler(plain) ?? plain;
    const port = await startSip(host, local?.port ?? 0, async (at) => {
      const sip = sipAt(host, at, options, shared);
      endpoints = { sip, msrp };
      await sip.start(handler).catch((error: unknown) => closed(sip, error));
    }).catch((error: unknown) => closed(msrp, error));
    const close = async (graceMs: number): Promise<void> => {
      await opened().sip.stop(graceMs);
      await msrp.stop(graceMs);
    };
    return { address: { host, port }, close };
  });
}

/** Undefined for a client without credentials, which takes a challenge as a refusal. */
function authenticatingSip(
  { aor, credentials }: ImClientOptions,
  world: {
    readonly random: Random;
    readonly port: () => SipPort;
    readonly unproven: (method: string) => void;
  },
): AuthenticatingSip | undefined {
  if (!credentials) return undefined;
  const { username = userOf(aor), password, realm } = credentials;
  const { md5 = false, proof = 'accept' } = credentials;
  const known = { username, password, realm, md5, proof };
  return new AuthenticatingSip({ ...world, credentials: known });
}

function unproven(method: string): string {
  return `whoever answered the ${method} does not know the password`;
}

interface Endpoints {
  readonly sip: SipEndpoint;
  readonly msrp: MsrpEndpoint;
}

interface Shared {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly trace?: Trace;
  readonly sockets?: SocketsPort;
}

function msrpAt(host: string, { options, limits }: ClientWorld, shared: Shared): MsrpEndpoint {
  const messageBytes = options.spool === undefined ? limits.messageBytes : limits.spooledBytes;
  return createMsrpEndpoint({
    ...shared,
    host,
    port: 0,
    ...(options.msrpRole !== 'passive' && { advertisedPort: activePort }),
    limits: { messageBytes },
  });
}

/** Over TLS the server comes back on our connection, which is kept alive for that. */
function sipAt(host: string, port: number, options: ImClientOptions, shared: Shared): SipEndpoint {
  const { server, tls } = options;
  return createSipEndpoint({
    ...shared,
    listeners: listenersAt(host, port),
    ...(tls && { tls }),
    keepAlive: server.transport === 'tls',
  });
}

/** Nothing stays open behind an error. */
async function closed(endpoint: SipEndpoint | MsrpEndpoint, error: unknown): Promise<never> {
  await endpoint.stop(0);
  throw error;
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
