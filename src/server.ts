/** A server: the one place that knows every folder and joins them. */

import pino from 'pino';
import { adminOptions, adminTls } from './settings/admin.js';
import type { AdminEndpoint } from './admin/endpoint.js';
import type { AdminParts } from './admin/parts.js';
import { cryptoHash } from './actors/authentication.js';
import type { AuthenticationOptions } from './actors/authentication.js';
import { configuredCredentials } from './actors/authentication-credentials.js';
import type { CredentialsPort } from './actors/authentication-credentials.js';
import { createActors } from './actors/node.js';
import type { Actors } from './actors/node.js';
import { summaryForm, turnLog } from './server/actors.js';
import { profiles } from './actors/profile.js';
import { storeCode } from './actors/store-code.js';
import { localPlacement } from './cluster/local.js';
import { readPolicy } from './config.js';
import type { Settings } from './config.js';
import { realmOf } from './settings/identity.js';
import { xcapServerOf, xcapTls, xdmsBounds, xdmsClientOf } from './server/metadata.js';
import { readPem } from './server/pem-file.js';
import type {
  AccountId,
  Clock,
  Log,
  OperatorPort,
  PolicyPort,
  ProvisioningPort,
  Random,
  StorePort,
  Trace,
  TurnTrace,
} from './ports.js';
import { openLevelStore } from './store/level.js';
import type { LevelStore } from './store/level.js';
import { systemClock, systemRandom } from './system.js';
import { createMsrpEndpoint } from './transport/msrp/endpoint.js';
import type { MsrpEndpoint } from './transport/msrp/endpoint.js';
import { createAuthoriser } from './transport/sip/credentials.js';
import { createSipEndpoint } from './transport/sip/endpoint.js';
import type { SipEndpoint } from './transport/sip/endpoint.js';
import type {
  MsrpEndpointOptions,
  MsrpRelayOptions,
  MsrpTlsOptions,
} from './transport/msrp/options.js';
import type { SipAddress, SipEndpointOptions } from './transport/sip/options.js';
import type { XdmsClient } from './transport/xcap/client.js';
import type { XcapServer } from './transport/xcap/server.js';
import { readTlsFiles } from './transport/sip/tls-files.js';
import { version } from './version.js';

/** What an embedder may bring along; whatever is absent is the real thing. */
export interface ServerParts {
  readonly store?: StorePort;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
  /** The directory of accounts, in place of the one in the store. */
  readonly provisioning?: ProvisioningPort;
  /** Credentials of users, in place of those in the settings. */
  readonly credentials?: CredentialsPort;
  /** Sees what the actors of an account tell each other, turn by turn. */
  readonly turns?: TurnTrace;
  /** Sees every SIP and MSRP message in and out, retransmissions included. */
  readonly trace?: Trace;
  /** Asked about what the rules of the settings let pass. */
  readonly policy?: PolicyPort;
}

export interface Server {
  /** The open SIP listeners, in the order of the settings. */
  readonly sip: readonly SipAddress[];
  readonly msrp: { readonly address: string; readonly port: number };
  /** The XCAP listener, when the settings ask for one. */
  readonly xcap?: { readonly address: string; readonly port: number };
  /** The listener of the administration; absent when there is none. */
  readonly admin?: AdminEndpoint['address'];
  /** The accounts, as the HTTP faces see them. */
  readonly accounts: OperatorPort;
  /** Who has an account; absent when the store given has no directory. */
  readonly provisioning?: ProvisioningPort;
  /** Puts the metadata of an account in the external XDMS anew; false: not now, or there is none. */
  rebuildMetadata(account: AccountId): Promise<boolean>;
  /** Everything counted since the start, by name. */
  counters(): Readonly<Record<string, number>>;
  /**
   * Reads the certificates of SIP, MSRP and XCAP again, for connections to come, and the rules of
   * operator policy, of `settings` when given. Throws an error with a code when they cannot be
   * used; what was in force before remains.
   */
  reload(settings?: Pick<Settings, 'policy'>): void;
  /** Takes nothing more, lets what was taken end for at most `graceMs`, closes the store. */
  stop(graceMs?: number): Promise<void>;
}

interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly trace?: Trace;
}

/** Opens store and listeners. Rejects with a coded error, and with nothing left open. */
export async function startServer(settings: Settings, parts: ServerParts = {}): Promise<Server> {
  const { clock = systemClock, random = systemRandom } = parts;
  const log = parts.log ?? createLog(settings.log.level);
  const world: World = { clock, random, log, ...(parts.trace && { trace: parts.trace }) };
  const policyRules = readPolicy(settings);
  const turns = parts.turns ?? turnLog(settings, log);
  const msrp = createMsrpEndpoint({ ...world, ...msrpOptions(settings) });
  // Before the store: certificates that cannot be used leave nothing open.
  const sip = createSipEndpoint({ ...world, ...sipOptions(settings, random) });
  const xdms = xdmsClientOf(settings, world);
  const store = parts.store ?? (await openStore(settings, world));
  const provisioning = parts.provisioning ?? store.provisioning;
  const authentication = authenticationOptions(settings.identity, parts.credentials);
  const actors = createActors({
    ...{ store, sip, msrp, clock, random, log, version },
    ...actorsOptions(settings),
    ...(xdms && { xdms }),
    ...(turns && { turns }),
    policyRules,
    ...(parts.policy && { policy: parts.policy }),
    ...(provisioning && { provisioning }),
    ...(authentication && { authentication }),
  });
  const faces: Faces = {};
  const counters = () => ({
    ...actors.counters(),
    ...sip.counters(),
    ...faces.xcap?.counters(),
    ...xdms?.counters(),
    ...storeCounters(store),
  });
  const open = { settings, sip, msrp, actors, xdms, faces };
  const stop = async (graceMs: number): Promise<void> => {
    await stopAll(open, graceMs);
    if (!parts.store) await store.close();
  };
  try {
    await actors.start();
    await msrp.start(actors.msrpHandler);
    await sip.start(actors.sipHandler);
    const { accounts } = actors;
    const known = { accounts, provisioning, clock, random, log, version, counters, intake: actors };
    await openFaces(faces, settings, authentication, { ...known, backup: backupOf(store) });
  } catch (error) {
    await stop(0);
    throw error;
  }
  return {
    ...addressesOf(sip, msrp, faces),
    accounts: actors.accounts,
    ...(provisioning && { provisioning }),
    rebuildMetadata: (account) => actors.rebuildMetadata(account),
    counters,
    reload: (changed = settings) => {
      const rules = readPolicy(changed);
      reload(open);
      actors.setPolicy(rules);
    },
    stop: (graceMs = 5000) => stop(graceMs),
  };
}

/** Everything that was opened, the latest first; the store is not among it. */
async function stopAll({ settings, sip, msrp, actors, xdms, faces }: Open, graceMs: number) {
  await faces.admin?.stop();
  await faces.xcap?.stop(graceMs);
  const { onStop: reason, retryAfter } = settings.messageWaiting;
  if (reason !== 'keep') await actors.withdraw({ reason, retryAfter });
  await sip.stop(graceMs);
  await actors.stop(graceMs);
  await msrp.stop(graceMs);
  xdms?.close();
}

interface Open {
  readonly settings: Settings;
  readonly sip: SipEndpoint;
  readonly msrp: MsrpEndpoint;
  readonly actors: Actors;
  readonly xdms: XdmsClient | undefined;
  readonly faces: Faces;
}

/** What speaks HTTP; each is there when the settings ask for it. */
interface Faces {
  xcap?: XcapServer;
  admin?: AdminEndpoint;
}

/** Whatever was opened stands in `faces` when this rejects. */
async function openFaces(
  faces: Faces,
  settings: Settings,
  authentication: AuthenticationOptions | undefined,
  parts: AdminParts & {
    readonly accounts: OperatorPort;
    readonly random: Random;
    readonly log: Log;
  },
): Promise<void> {
  const xcap = xcapServerOf(settings, authentication, parts);
  if (xcap) {
    await xcap.start();
    faces.xcap = xcap;
  }
  if (!settings.admin) return;
  // What it is made of takes longer to load than all the rest, and a start after a crash is urgent.
  const { createAdminEndpoint } = await import('./admin/endpoint.js');
  const admin = await createAdminEndpoint(parts, adminOptions(settings.admin, readPem));
  await admin.start();
  faces.admin = admin;
}

function addressesOf(
  sip: SipEndpoint,
  msrp: MsrpEndpoint,
  { xcap, admin }: Faces,
): Pick<Server, 'sip' | 'msrp' | 'xcap' | 'admin'> {
  return {
    sip: sip.addresses,
    msrp: msrp.address,
    ...(xcap && { xcap: xcap.address }),
    ...(admin && { admin: admin.address }),
  };
}

/** Nobody else has this store: what an earlier process left unfinished stays so, and goes. */
async function openStore({ store, bounds }: Settings, { log, clock }: World): Promise<LevelStore> {
  const limits = { accounts: bounds.accounts * 2 };
  const opened = await openLevelStore({ ...store, log, clock, limits });
  // In the background: whoever begins meanwhile is spared.
  opened.sweep(clock.now()).then(
    (swept) => swept > 0 && log.info({ swept }, 'unfinished uploads removed'),
    (error: unknown) => {
      const code = storeCode(error) ?? String(error);
      // A store that closes meanwhile is no news; the next start finds them again.
      if (code !== 'STORE_CLOSED') log.warn({ code }, 'unfinished uploads not removed');
    },
  );
  return opened;
}

function actorsOptions(settings: Settings) {
  const { identity, bounds, publish, msrp, profile, messageWaiting } = settings;
  const { admission, ...limits } = settings.limits;
  const relayed = msrp.relay && { pathMs: msrp.relay.waitMs };
  return {
    limits,
    admission,
    placement: localPlacement,
    ...identityOptions(identity),
    settingsPackage: publish,
    summary: summaryForm(messageWaiting),
    cema: msrp.cema,
    profile: profiles[profile],
    bounds: { ...bounds, ...xdmsBounds(settings), ...relayed },
  };
}

/** Whatever has a certificate reads it again. */
function reload({ settings, sip, msrp, faces }: Open): void {
  sip.reloadTls(readTlsFiles(settings.sip.tls ?? {}));
  if (settings.msrp.tls) msrp.reloadCertificate(msrpTlsOptions(settings.msrp.tls));
  if (settings.xcap?.tls) faces.xcap?.reloadCertificate(xcapTls(settings.xcap.tls));
  const tls = settings.admin && adminTls(settings.admin, readPem);
  if (tls) faces.admin?.reload(tls);
}

/** Names, served users and trust. */
function identityOptions({ users, accounts, ...identity }: Settings['identity']) {
  const { hostname, deferredUser, deferredAliases, deleteUser, domains, aliases } = identity;
  const { trustedPeers, trustedNames, privacy, registrar } = identity;
  return {
    ...{ hostname, deferredUser, deferredAliases, deleteUser, domains, aliases },
    serviceHosts: identity.serviceHosts,
    ...(users && { users }),
    provisionedOnly: accounts === 'provisioned',
    ...{ trustedPeers, trustedNames, privacy, registrar },
  };
}

/** Of a store of ours; others are copied by their own means. */
function backupOf(store: StorePort): AdminParts['backup'] {
  return 'backup' in store ? () => (store as LevelStore).backup() : undefined;
}

/** What a store of ours counts; others have nothing to tell. */
function storeCounters(store: StorePort): Record<string, number> {
  if (!('stats' in store)) return {};
  const stats = (store as LevelStore).stats();
  return Object.fromEntries(Object.entries(stats).map(([name, one]) => [`store.${name}`, one]));
}

/** A pino logger on standard error, so that standard output stays for results. */
export function createLog(level: Settings['log']['level']): Log {
  return pino({ level, base: null }, pino.destination({ dest: 2, sync: false }));
}

/** Undefined when nobody could authenticate. */
function authenticationOptions(
  identity: Settings['identity'],
  given: CredentialsPort | undefined,
): AuthenticationOptions | undefined {
  const { credentials, digest } = identity;
  if (!given && Object.keys(credentials).length === 0) return undefined;
  const { algorithms, qop, userhash, messages, secret } = digest;
  const { nonceMs, nonces, failures, failureMs } = digest;
  return {
    realm: realmOf(identity),
    credentials: given ?? configuredCredentials(credentials, cryptoHash),
    ...{ algorithms, qop, userhash, messages },
    ...(secret !== undefined && { secret }),
    bounds: { nonceMs, nonces, failures, failureMs },
  };
}

function sipOptions({ sip }: Settings, random: Random): Omit<SipEndpointOptions, keyof World> {
  const half = Math.max(1, Math.floor(sip.transactions / 2));
  return {
    listeners: sip.listen.map(({ advertise, ...listener }) => ({
      ...listener,
      ...(advertise !== undefined && { advertised: advertise }),
    })),
    ...(sip.tls && { tls: readTlsFiles(sip.tls) }),
    ...(sip.advertise !== undefined && { advertised: sip.advertise }),
    ...(sip.credentials.length > 0 && { authorise: createAuthoriser(sip.credentials, random) }),
    timers: sip.timers,
    limits: {
      serverTransactions: half,
      clientTransactions: half,
      connections: sip.connections,
      connectionsPerPeer: sip.connectionsPerPeer,
      silentConnections: sip.silentConnections,
      silentMs: sip.silentMs,
      handshakeMs: sip.handshakeMs,
      idleMs: sip.idleMs,
      keepAliveMs: sip.keepAliveMs,
      targets: sip.targets,
      bodyBytes: sip.messageOctets,
    },
  };
}

function msrpOptions({ msrp, limits }: Settings): Omit<MsrpEndpointOptions, keyof World> {
  return {
    host: msrp.host,
    port: msrp.port,
    chunkMax: msrp.chunkMax,
    ...(msrp.advertise !== undefined && { advertisedHost: msrp.advertise }),
    ...(msrp.tls && { tls: msrpTlsOptions(msrp.tls) }),
    ...(msrp.relay && { relay: relayOptions(msrp.relay) }),
    ...(msrp.webSocket && {
      webSocket: {
        port: msrp.webSocket.port,
        terminated: msrp.webSocket.terminated,
        ...advertisedPort(msrp.webSocket),
      },
    }),
    limits: {
      sessions: msrp.sessions,
      connections: msrp.connections,
      connectionsPerPeer: msrp.connectionsPerPeer,
      bindWaitMs: msrp.bindMs,
      responseMs: msrp.responseMs,
      idleMs: msrp.idleMs,
      messageBytes: limits.recording.octets,
    },
  };
}

function msrpTlsOptions(tls: NonNullable<Settings['msrp']['tls']>): MsrpTlsOptions {
  const { port, certificate, key, authorities, clientCertificate, preferred } = tls;
  return {
    ...{ port, preferred, certificate: readPem(certificate), key: readPem(key) },
    ...advertisedPort(tls),
    ...(authorities && { authorities: authorities.map(readPem) }),
    ...(clientCertificate && { clientCertificate }),
  };
}

function relayOptions(relay: NonNullable<Settings['msrp']['relay']>): MsrpRelayOptions {
  const { uri, username, password, md5, expires } = relay;
  return { uri, username, password, md5, ...(expires !== undefined && { expires }) };
}

function advertisedPort(listener: { readonly advertisePort?: number | undefined }): {
  advertisedPort?: number;
} {
  const { advertisePort } = listener;
  return advertisePort === undefined ? {} : { advertisedPort: advertisePort };
}
