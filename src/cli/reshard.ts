/** `store reshard`: another number of shards for a directory that no server has open. */

import { access } from 'node:fs/promises';
import { ClusterError } from '../cluster/calls.js';
import {
  frontDirectory,
  layoutOf,
  shardAmong,
  shardDirectory,
  storeDirectories,
} from '../cluster/layout.js';
import { shardsMax } from '../cluster/marker.js';
import {
  abandonReshard,
  beginReshard,
  builtDirectory,
  endReshard,
  reshardOf,
  settleReshard,
} from '../cluster/reshard.js';
import { readSettings, settingsOf } from '../config.js';
import type { KeyProvider } from '../ports.js';
import { fileKeysOf } from '../server/file-keys.js';
import { divide } from '../store/division.js';
import type { StoreGroup } from '../store/division.js';
import { openMaintenance } from '../store/maintenance.js';
import type { Totals } from '../store/verify.js';
import { OperatorError } from './admin-connection.js';

export interface ReshardOptions {
  readonly config?: string;
}

export interface Resharded {
  readonly from: number;
  readonly to: number;
  readonly accounts: number;
  readonly messages: number;
}

/**
 * Rejects with CLUSTER_LAYOUT when something is wrong with the stores: they stay as they are then.
 * Cut off anywhere it is called again, and nothing is lost or there twice.
 */
export async function reshard(
  directory: string,
  count: string,
  { config }: ReshardOptions,
): Promise<Resharded> {
  const to = countOf(count);
  const keys =
    config === undefined ? undefined : fileKeysOf(settingsOf(readSettings(config)).store);
  await access(directory);
  const under = await reshardOf(directory);
  if (under?.phase === 'move') await endReshard(directory, under);
  const from = under?.phase === 'copy' ? under.from : ((await layoutOf(directory)) ?? 1);
  const former = await totalsOf(groupOf(directory, from));
  if (from !== to) {
    await beginReshard(directory, from, to);
    await build(directory, { from, to, former }, keys);
    await settleReshard(directory, from, to);
    await endReshard(directory, { from, to, phase: 'move' });
  } else if (under?.phase === 'copy') {
    await abandonReshard(directory);
  }
  return { from, to, accounts: former.accounts, messages: former.messages };
}

function countOf(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= shardsMax) return count;
  throw new OperatorError('OPERATOR_USAGE', `there can be 1 to ${shardsMax} shards`, 2);
}

/** Where the stores of a directory are that is divided among so many. */
function groupOf(directory: string, shards: number): StoreGroup {
  if (shards === 1) return { shards: [directory] };
  const [front, ...own] = storeDirectories(directory, shards);
  return { front: front!, shards: own };
}

function builtGroup(directory: string, shards: number): StoreGroup {
  const built = builtDirectory(directory);
  const own = Array.from({ length: shards }, (_, shard) => shardDirectory(built, shard));
  return shards === 1 ? { shards: own } : { front: frontDirectory(built), shards: own };
}

/** What was built is read again, and has to be as much as there was. */
async function build(
  directory: string,
  { from, to, former }: { readonly from: number; readonly to: number; readonly former: Sum },
  keys: KeyProvider | undefined,
): Promise<void> {
  const built = builtGroup(directory, to);
  const shardOf = (account: string): number => shardAmong(account, to);
  await divide({ from: groupOf(directory, from), to: built, shardOf, keys });
  const totals = await totalsOf(built);
  for (const name of ['accounts', 'messages', 'contentOctets'] as const) {
    if (totals[name] === former[name]) continue;
    const counts = `${totals[name]} ${name} in place of ${former[name]}`;
    throw new ClusterError('CLUSTER_LAYOUT', `what was built has ${counts}`);
  }
}

type Sum = Pick<Totals, 'accounts' | 'messages' | 'contentOctets'>;

/** Rejects when something is found: what is damaged has to be mended where it is. */
async function totalsOf(group: StoreGroup): Promise<Sum> {
  const sum = { accounts: 0, messages: 0, contentOctets: 0 };
  const all = group.front === undefined ? group.shards : [group.front, ...group.shards];
  for (const directory of all) {
    const store = await openMaintenance(directory);
    try {
      const totals = await store.verify(() => undefined);
      if (totals.findings > 0) {
        const why = `${directory} has ${totals.findings} findings: see store verify`;
        throw new ClusterError('CLUSTER_LAYOUT', why);
      }
      for (const name of ['accounts', 'messages', 'contentOctets'] as const) {
        sum[name] += totals[name];
      }
    } finally {
      await store.close();
    }
  }
  return sum;
}
