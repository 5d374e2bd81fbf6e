/** The accounts of a store that no server serves: the same actors, and nobody they could speak to. */

import { createActors } from '../actors/node.js';
import { claimLayout } from '../cluster/layout.js';
import type { Settings } from '../config.js';
import type { Log, MsrpPort, OperatorPort, SipPort, StorePort, XdmsPort } from '../ports.js';
import { systemClock, systemRandom } from '../system.js';
import { version } from '../version.js';
import { actorsOptions } from './actors.js';
import { openStore } from './open-store.js';

export interface OfflineAccounts {
  readonly accounts: OperatorPort;
  readonly store: StorePort;
  /** Everything that was taken is durable then. */
  close(): Promise<void>;
}

/** ms for what was taken to become durable. */
const graceMs = 60_000;

/** `changing`: inputs are taken; else the store is only read. */
export async function openAccounts(
  settings: Settings,
  directory: string,
  log: Log,
  changing: boolean,
): Promise<OfflineAccounts> {
  // One that is divided among shards is theirs to write.
  await claimLayout(directory, 1);
  const located = { ...settings, store: { ...settings.store, directory } };
  const store = await openStore(located, { log, clock: systemClock });
  const options = actorsOptions(settings);
  const actors = createActors({
    ...{ store, sip: silentSip, msrp: silentMsrp, clock: systemClock, random: systemRandom },
    ...{ log, version, ...options },
    ...(settings.xdms && { xdms: silentXdms }),
    bounds: { ...options.bounds, surveyMs: 0 },
  });
  const close = async (): Promise<void> => {
    if (changing) await actors.stop(graceMs);
    await store.close();
  };
  try {
    if (changing) await actors.start();
  } catch (error) {
    await store.close();
    throw error;
  }
  return { accounts: actors.accounts, store, close };
}

/** What is owed to others stays in the outbox until a server takes the store up. */
const silentSip: SipPort = {
  start: () => Promise.resolve(),
  respond: () => undefined,
  request: () => undefined,
  bye: () => undefined,
  forget: () => undefined,
  contactUri: (user) => `sip:${user}@offline.invalid`,
  stop: () => Promise.resolve(),
};

const silentMsrp: MsrpPort = {
  start: () => Promise.resolve(),
  reserve: () => 'msrp://offline.invalid:2855/none;tcp',
  connect: () => undefined,
  send: () => undefined,
  release: () => undefined,
  stop: () => Promise.resolve(),
};

class Offline extends Error {
  readonly code = 'XDMS_DOWN';
}

const away = (): Promise<never> => Promise.reject(new Offline('XDMS_DOWN: nothing is sent'));

const silentXdms: XdmsPort = { put: away, delete: away, rebuild: away };
