/** One node: transports, actors and store in this process, joined. */

import type { Intake } from '../admin/parts.js';
import { createActors } from '../actors/node.js';
import type { Actors } from '../actors/node.js';
import type { Learnt } from '../actors/served-users.js';
import { readPolicy } from '../config.js';
import type { Settings } from '../config.js';
import type { PlacementPort } from '../ports.js';
import type { Server, ServerParts } from '../server.js';
import { systemClock, systemRandom } from '../system.js';
import { createMsrpEndpoint } from '../transport/msrp/endpoint.js';
import type { MsrpEndpoint } from '../transport/msrp/endpoint.js';
import type { MsrpLink } from '../transport/msrp/link.js';
import { createSipEndpoint } from '../transport/sip/endpoint.js';
import type { SipEndpoint } from '../transport/sip/endpoint.js';
import type { SipLink } from '../transport/sip/link.js';
import type { XdmsClient } from '../transport/xcap/client.js';
import type { LevelStore } from '../store/level.js';
import { version } from '../version.js';
import { actorsOptions } from './actors.js';
import { authenticationOptions } from './authentication.js';
import { openFaces } from './faces.js';
import type { Faces } from './faces.js';
import { createLog } from './log.js';
import { keepCertificates } from './certificates.js';
import { openStore } from './open-store.js';
import { tracesOf } from './traces.js';
import { storeCounters, storeFaces } from './store.js';
import { msrpOptions, sipOptions } from './transports.js';
import type { World } from './transports.js';

/** What a node is given when it is one of several. */
export interface NodeParts extends ServerParts {
  /** The process with the SIP sockets. */
  readonly link?: SipLink;
  /** The process with the MSRP sockets. */
  readonly msrpLink?: MsrpLink;
  readonly placement?: PlacementPort;
  /** The store of the settings, which somebody has begun to open, and closes when the start fails. */
  readonly opening?: Promise<LevelStore>;
  /** Hears of identities that a trusted S-CSCF has told. */
  readonly learnt?: Learnt;
}

/** A server that can be drained. */
export interface NodeServer extends Server {
  readonly intake: Intake;
}

/** Opens store and listeners. Rejects with a coded error, and with nothing left open. */
export async function startNode(settings: Settings, parts: NodeParts = {}): Promise<NodeServer> {
  const { clock = systemClock, random = systemRandom } = parts;
  const log = parts.log ?? createLog(settings.log.level, settings.log.linesPerSecond);
  const { trace, turns, ladders } = tracesOf(settings, parts, log);
  const world = worldOf(parts, { clock, random, log, ...(trace && { trace }) });
  const linked = parts.link && { link: parts.link };
  const policyRules = readPolicy(settings);
  const linkedMsrp = parts.msrpLink && { link: parts.msrpLink };
  const msrp = createMsrpEndpoint({ ...world, ...msrpOptions(settings), ...linkedMsrp });
  // Before the store: certificates that cannot be used leave nothing open.
  const sip = createSipEndpoint({ ...world, ...sipOptions(settings, random), ...linked });
  const xdms = await xdmsOf(settings, world);
  const store = parts.store ?? (await (parts.opening ?? openStore(settings, world, parts.keys)));
  const provisioning = parts.provisioning ?? store.provisioning;
  const authentication = authenticationOptions(settings.identity, parts.credentials);
  const actors = createActors({
    ...{ store, sip, msrp, clock, random, log, version },
    ...actorsOptions(settings),
    ...(parts.placement && { placement: parts.placement }),
    ...(parts.learnt && { learnt: parts.learnt }),
    ...(xdms && { xdms }),
    ...(turns && { turns }),
    policyRules,
    ...(parts.policy && { policy: parts.policy }),
    ...(provisioning && { provisioning }),
    ...(authentication && { authentication }),
  });
  const faces: Faces = {};
  const open = { settings, sip, msrp, actors, xdms, faces };
  const counters = () => ({ ...countersOf(open), ...storeCounters(store) });
  const certificates = keepCertificates(open, world);
  const stop = async (graceMs: number): Promise<void> => {
    certificates.end();
    await stopAll(open, graceMs);
    if (!parts.store) await store.close();
  };
  try {
    await actors.start(() => openPorts(open));
    const { accounts } = actors;
    const known = { ...world, accounts, provisioning, version, counters, intake: actors };
    await openFaces(faces, settings, authentication, { ...known, ...storeFaces(store), ladders });
  } catch (error) {
    await stop(0);
    throw error;
  }
  return {
    ...addressesOf(sip, msrp, faces),
    accounts: actors.accounts,
    ...(provisioning && { provisioning }),
    rebuildMetadata: (account) => actors.rebuildMetadata(account),
    ...{ intake: actors, counters },
    counted: () => Promise.resolve(counters()),
    reload: (changed = settings) => {
      const rules = readPolicy(changed);
      certificates.reload();
      actors.setPolicy(rules);
    },
    stop: (graceMs = 5000) => stop(graceMs),
  };
}

/** Undefined when the embedded XDMS is the only one. Rejects with ConfigError. */
async function xdmsOf({ xdms, identity }: Settings, world: World): Promise<XdmsClient | undefined> {
  if (!xdms) return undefined;
  const { xdmsClientOf } = await import('./metadata.js');
  return xdmsClientOf(xdms, identity, world);
}

async function openPorts({ sip, msrp, actors }: Open): Promise<void> {
  await msrp.start(actors.msrpHandler);
  await sip.start(actors.sipHandler);
}

function worldOf({ sockets, resolve }: NodeParts, world: World): World {
  return { ...world, ...(sockets && { sockets }), ...(resolve && { resolve }) };
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

function countersOf({ sip, actors, xdms, faces }: Open): Record<string, number> {
  return {
    ...actors.counters(),
    ...sip.counters(),
    ...faces.xcap?.counters(),
    ...xdms?.counters(),
  };
}
