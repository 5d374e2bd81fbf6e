/** The accounts of a directory that no server serves: the same actors, and nobody they could speak to. */

import { createActors } from '../actors/node.js';
import {
  claimLayout,
  frontDirectory,
  layoutOf,
  shardAmong,
  shardDirectory,
} from '../cluster/layout.js';
import { markedRandom } from '../cluster/marker.js';
import { shardCountOf } from '../cluster/shard-count.js';
import type { Settings } from '../config.js';
import type {
  Log,
  MsrpPort,
  OperatorPort,
  ProvisioningPort,
  Random,
  SipPort,
  StorePort,
  XdmsPort,
} from '../ports.js';
import type { LevelStore } from '../store/level.js';
import { systemClock, systemRandom } from '../system.js';
import { version } from '../version.js';
import { actorsOptions } from './actors.js';
import { openStore } from './open-store.js';
import { operatorAnswers } from './operator-answers.js';
import { shardedAccounts, shardedProvisioning } from './sharded-accounts.js';
import type { ShardQuestions } from './sharded-accounts.js';

export interface OfflineAccounts {
  readonly accounts: OperatorPort;
  readonly provisioning: ProvisioningPort | undefined;
  /** Everything that was taken is durable then. */
  close(): Promise<void>;
}

/** ms for what was taken to become durable. */
const graceMs = 60_000;

/**
 * `changing`: inputs are taken, and a directory that is not there is made as `serve` makes it; else
 * the stores are only read. Rejects with CLUSTER_LAYOUT as `serve` does.
 */
export async function openAccounts(
  settings: Settings,
  directory: string,
  log: Log,
  changing: boolean,
): Promise<OfflineAccounts> {
  const shards = changing
    ? (await shardCountOf({ shards: settings.cluster.shards ?? 'auto', directory })).shards
    : ((await layoutOf(directory)) ?? 1);
  if (changing) await claimLayout(directory, shards);
  if (shards === 1) return openOne({ settings, directory, log, changing });
  return openShards({ settings, directory, log, changing }, shards);
}

interface Opening {
  readonly settings: Settings;
  readonly directory: string;
  readonly log: Log;
  readonly changing: boolean;
  /** Of several: what it has in common with the others. */
  readonly shared?: { readonly random: Random; readonly reserve: StorePort['reserve'] };
}

interface OpenOne extends OfflineAccounts {
  readonly store: LevelStore;
}

async function openOne({ settings, directory, log, changing, shared }: Opening): Promise<OpenOne> {
  const located = { ...settings, store: { ...settings.store, directory } };
  const store = await openStore(located, { log, clock: systemClock });
  const options = actorsOptions(settings);
  const { random, reserve } = { random: systemRandom, reserve: undefined, ...shared };
  const actors = createActors({
    ...{ store: reserve ? { ...store, reserve } : store, sip: silentSip, msrp: silentMsrp },
    ...{ clock: systemClock, random },
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
  const { provisioning } = store;
  return { accounts: actors.accounts, provisioning, store, close };
}

/** The stores of a divided directory in this process, asked as the front asks its shards. */
async function openShards(opening: Opening, shards: number): Promise<OfflineAccounts> {
  const { settings, directory, log } = opening;
  const at = frontDirectory(directory);
  const located = { ...settings, store: { ...settings.store, directory: at } };
  const front = await openStore(located, { log, clock: systemClock });
  const opened: OpenOne[] = [];
  const close = async (): Promise<void> => {
    for (const one of opened) await one.close();
    await front.close();
  };
  try {
    for (let shard = 0; shard < shards; shard++) {
      const shared = {
        random: markedRandom(systemRandom, shard),
        reserve: (counter: string, count: number) => front.reserve(counter, count),
      };
      const own = shardDirectory(directory, shard);
      opened.push(await openOne({ ...opening, directory: own, shared }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const answers = opened.map(({ accounts, store }) =>
    operatorAnswers(() => ({ server: { accounts }, store })),
  );
  const questions: ShardQuestions = {
    shards,
    shardOf: (account) => shardAmong(account, shards),
    ask: (shard, name, ...told) =>
      Promise.resolve().then(() => answers[shard]![name]!(...(told as readonly never[]))),
  };
  const { accounts: first } = opened[0]!;
  const users = {
    account: (uri: string) => first.accountOf(uri),
    serialOf: (uri: string) => first.serialOf(uri),
  };
  return {
    accounts: shardedAccounts(questions, users),
    provisioning: front.provisioning && shardedProvisioning(front.provisioning, questions),
    close,
  };
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
