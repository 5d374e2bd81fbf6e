/** `store export` and `import`: mailboxes of a store that no server has open, as a file (U26). */

import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { importMailboxes, writeMailboxes } from '../admin/mailbox-transfer.js';
import type { Imported } from '../admin/mailbox-transfer.js';
import { readSettings, settingsOf } from '../config.js';
import type { AccountId } from '../ports.js';
import { createLog } from '../server.js';
import { openAccounts } from '../server/offline-accounts.js';
import type { OfflineAccounts } from '../server/offline-accounts.js';
import { systemClock } from '../system.js';
import { canonicalIdentity } from '../admin/identity.js';
import { writeOctets } from './octet-file.js';

export interface TransferOptions {
  readonly config?: string;
}

function settingsFor({ config }: TransferOptions) {
  return settingsOf(config === undefined ? {} : readSettings(config));
}

/** These accounts, or all there are. */
export async function exportStore(
  directory: string,
  file: string,
  names: readonly string[],
  options: TransferOptions,
): Promise<void> {
  // A store that is not there would be made.
  await access(directory);
  const opened = await openAccounts(settingsFor(options), directory, createLog('warn'), false);
  const { accounts, provisioning, close } = opened;
  try {
    const parts = { accounts, provisioning, clock: systemClock };
    const wanted = names.length > 0 ? names.map(canonicalIdentity) : everyAccount(opened);
    await writeOctets(writeMailboxes(parts, wanted), file);
  } finally {
    await close();
  }
}

/** Accounts that are provisioned and have no mailbox yet are among them. */
async function* everyAccount({
  accounts,
  provisioning,
}: Pick<OfflineAccounts, 'accounts' | 'provisioning'>): AsyncGenerator<AccountId> {
  yield* pages((range) => accounts.accounts(range));
  if (!provisioning) return;
  const provisioned = pages(async (range) =>
    (await provisioning.list(range)).map(({ account }) => account),
  );
  for await (const account of provisioned) {
    if (!(await accounts.exists(account))) yield account;
  }
}

const page = 256;

async function* pages(
  list: (range: {
    readonly after?: AccountId;
    readonly limit: number;
  }) => PromiseLike<readonly AccountId[]>,
): AsyncGenerator<AccountId> {
  let after: AccountId | undefined;
  for (;;) {
    const found = await list({ limit: page, ...(after !== undefined && { after }) });
    yield* found;
    after = found.at(-1);
    if (found.length < page) return;
  }
}

/** Into a store that is there, or is made. */
export async function importStore(
  directory: string,
  file: string,
  options: TransferOptions,
): Promise<Imported> {
  const opened = await openAccounts(settingsFor(options), directory, createLog('warn'), true);
  const { accounts, provisioning, close } = opened;
  try {
    const parts = { accounts, provisioning, clock: systemClock };
    const spool = () => createReadStream(file) as AsyncIterable<Buffer>;
    return await importMailboxes(parts, spool, ({ account }) => canonicalIdentity(account));
  } finally {
    await close();
  }
}
