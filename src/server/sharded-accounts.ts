/** Accounts of all shards as the HTTP faces see them: each question goes to the shard of its account. */

import type { ServedUsers } from '../actors/served-users.js';
import type {
  AccountId,
  AccountRange,
  Content,
  OperatorPort,
  ProvisionedAccount,
  ProvisioningPort,
} from '../ports.js';
import { shardedImport } from './sharded-import.js';

/** Asks the process of a shard. */
export interface ShardQuestions {
  readonly shards: number;
  shardOf(account: AccountId): number;
  ask(shard: number, name: string, ...parameters: readonly unknown[]): Promise<unknown>;
}

export function shardedAccounts(
  questions: ShardQuestions,
  users: Pick<ServedUsers, 'account' | 'serialOf'>,
): OperatorPort {
  const ask = async <T>(
    account: AccountId,
    name: string,
    ...parameters: readonly unknown[]
  ): Promise<T> => {
    const shard = questions.shardOf(account);
    return (await questions.ask(shard, name, account, ...parameters)) as T;
  };
  return {
    accountOf: (uri) => users.account(uri),
    serialOf: (uri) => users.serialOf(uri),
    exists: (account) => ask(account, 'exists'),
    summary: (account) => ask(account, 'summary'),
    histories: (account, range) => ask(account, 'histories', range),
    deleteMessages: (account, serials) => ask(account, 'deleteMessages', serials),
    configure: (account, settings) => ask(account, 'configure', settings),
    purge: (account) => ask(account, 'purge'),
    remove: (account, how) => ask(account, 'remove', how),
    pause: (account, paused) => ask(account, 'pause', paused),
    requeue: (account, serial) => ask(account, 'requeue', serial),
    records: (account, range) => ask(account, 'records', range),
    beginImport: (account) => {
      const shard = questions.shardOf(account);
      const records = (of: AccountId, range: Parameters<OperatorPort['records']>[1]) =>
        ask<Awaited<ReturnType<OperatorPort['records']>>>(of, 'records', range);
      return shardedImport({ records }, account, (name, ...told) =>
        questions.ask(shard, name, ...told),
      );
    },
    push: (account) => ask(account, 'push'),
    accounts: (range) => allAccounts(questions, range),
    content: async (account, serial): Promise<Content | undefined> => {
      const size = await ask<number | undefined>(account, 'contentSize', serial);
      if (size === undefined) return undefined;
      return {
        size,
        read: async (offset, length) =>
          Buffer.from(await ask<Uint8Array>(account, 'contentRead', serial, { offset, length })),
      };
    },
  };
}

/** Records that are read at a time. */
const recordsPage = 1_000;

/** In the order of their octets, over all shards. */
async function allAccounts(
  { shards, ask }: ShardQuestions,
  range: AccountRange,
): Promise<readonly AccountId[]> {
  const parts = await Promise.all(
    Array.from({ length: shards }, (_, shard) => ask(shard, 'accounts', range)),
  );
  return (parts as (readonly AccountId[])[])
    .flat()
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .slice(0, range.limit);
}

/**
 * Who has an account: all of it at the front, which finds the shard by it, and each record at its
 * shard, which heeds its limits. The front looks for conflicts, so it is told first, and takes the
 * change back when the shard cannot be told; `tellRecords` mends what a crash has cut off.
 */
export function shardedProvisioning(
  directory: ProvisioningPort,
  { shardOf, ask }: ShardQuestions,
): ProvisioningPort {
  const tell = (name: string, account: AccountId, told: unknown): Promise<unknown> =>
    ask(shardOf(account), name, told);
  // One change at a time: what is looked at before it is told must hold until it is kept.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act, act);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    find: (identity) => directory.find(identity),
    list: (range) => directory.list(range),
    put: (record, when) =>
      inTurn(async () => {
        const former = directory.find(record.account);
        await directory.put(record, when);
        try {
          await tell('provision', record.account, record);
        } catch (error) {
          await undo(directory, record, former);
          throw error;
        }
      }),
    remove: (account) =>
      inTurn(async () => {
        await tell('unprovision', account, account);
        return directory.remove(account);
      }),
  };
}

/** Tells a shard that has come up of its records again: a crash may have kept it from some. */
export async function tellRecords(
  directory: ProvisioningPort,
  { shardOf, ask }: ShardQuestions,
  shard: number,
): Promise<void> {
  for (let after: AccountId | undefined; ;) {
    const range = { limit: recordsPage, ...(after !== undefined && { after }) };
    const records = await directory.list(range);
    for (const record of records) {
      if (shardOf(record.account) === shard) await ask(shard, 'provision', record);
    }
    if (records.length < recordsPage) return;
    after = records.at(-1)!.account;
  }
}

/** The shard has not taken it: the front must not know more than the shard. */
async function undo(
  directory: ProvisioningPort,
  { account }: ProvisionedAccount,
  former: ProvisionedAccount | undefined,
): Promise<void> {
  if (former?.account === account) await directory.put(former);
  else await directory.remove(account);
}
