/** Stored messages as they leave for another store, and as they come from one (U26). */

import type { ImportFacts, Limits } from '../machines/events.js';
import type { AtRest } from '../machines/index.js';
import { hasSerial } from '../machines/serial-set.js';
import type { SerialSet } from '../machines/serial-set.js';
import type { AccountId, Clock, Content, MailboxImport, StorePort, UploadId } from '../ports.js';
import type { MessageRecord } from '../wire/mailbox-stream/record.js';
import type { Input } from './account-world.js';
import { AccountsError } from './accounts-error.js';
import type { LocalTransactions } from './local-transactions.js';

export interface ImportParts {
  readonly store: Pick<StorePort, 'scan' | 'upload'>;
  readonly clock: Clock;
  readonly local: LocalTransactions;
  readonly limits: Limits;
  submit(account: AccountId, input: Input): boolean;
}

/** Octets that are handed over whole; more goes piece by piece. */
export const wholeMax = 65_536;
export const pieceBytes = 262_144;
const page = 256;

/** What is stored of these, in the order of the serials. */
export async function messageRecords(
  store: Pick<StorePort, 'scan' | 'content'>,
  account: AccountId,
  stored: SerialSet,
  range: { readonly after?: number; readonly limit: number },
): Promise<readonly MessageRecord[]> {
  const records: MessageRecord[] = [];
  let { after = 0 } = range;
  while (records.length < range.limit) {
    const limit = range.limit - records.length;
    const rows = await store.scan(account, { kind: 'ua', after, limit });
    for (const { key, value } of rows) {
      after = key[1] as number;
      // What is about to be deleted is nobody's any more.
      if (!hasSerial(stored, after)) continue;
      const content = await store.content(account, after);
      if (content) records.push(recordOf(after, value, content.size));
    }
    if (rows.length < limit) break;
  }
  return records;
}

function recordOf(serial: number, value: unknown, content: number): MessageRecord {
  const facts = (value as AtRest).context as unknown as ImportFacts;
  const { message, receivedAt, expiresAt, read, bye } = facts;
  return {
    ...{ serial, receivedAt, read, message, content },
    // A row has null where there is nothing.
    ...(typeof expiresAt === 'number' && { expiresAt }),
    ...(bye && { bye }),
  };
}

export async function beginImport(
  parts: ImportParts,
  account: AccountId,
  hasRoom: (messages: number, octets: number) => Promise<boolean>,
): Promise<MailboxImport> {
  const known = await knownMessages(parts.store, account);
  return {
    isKnown: (record) => known.has(submissionOf(record)),
    admit: async (messages, octets) => {
      if (await hasRoom(messages, octets)) return;
      throw new AccountsError('ACCOUNT_FULL', `there is no room for ${messages} messages more`);
    },
    take: async (record, content) => {
      const name = submissionOf(record);
      if (known.has(name)) return 'known';
      const outcome = await take(parts, account, record, content);
      known.add(name);
      return outcome;
    },
    end: () => known.clear(),
  };
}

/**
 * One submission is told from another by its digest and its time. Held while an import lasts: a
 * hundred octets for each message that is stored, which the quota bounds.
 */
async function knownMessages(
  store: Pick<StorePort, 'scan'>,
  account: AccountId,
): Promise<Set<string>> {
  const known = new Set<string>();
  let after = 0;
  for (;;) {
    const rows = await store.scan(account, { kind: 'ua', after, limit: page });
    for (const { key, value } of rows) {
      const { message, receivedAt } = (value as AtRest).context as unknown as ImportFacts;
      known.add(nameOf(message.digest, receivedAt));
      after = key[1] as number;
    }
    if (rows.length < page) return known;
  }
}

/** What tells the submission of a message from every other of its account. */
export function submissionOf({
  message,
  receivedAt,
}: Pick<MessageRecord, 'message' | 'receivedAt'>): string {
  return nameOf(message.digest, receivedAt);
}

function nameOf(digest: string, receivedAt: number): string {
  return `${receivedAt} ${digest}`;
}

async function take(
  parts: ImportParts,
  account: AccountId,
  record: MessageRecord,
  content: Content,
): Promise<'kept' | 'known'> {
  if (content.size <= wholeMax) {
    const octets = await content.read(0, content.size);
    // A copy: what was read may be a view on something larger.
    return submitted(parts, account, record, Buffer.from(octets));
  }
  const upload = await parts.store.upload(account);
  try {
    for (let at = 0; at < content.size; at += pieceBytes) {
      await upload.write(at, await content.read(at, pieceBytes));
    }
    await upload.finish(content.size);
    const outcome = await submitted(parts, account, record, upload.id);
    if (outcome === 'known') await upload.abort();
    return outcome;
  } catch (error) {
    // After a timeout it may be kept yet; if not, it is swept away in time.
    const isUnknown = error instanceof AccountsError && error.code === 'ACCOUNT_TIMEOUT';
    if (!isUnknown) await upload.abort().catch(() => undefined);
    throw error;
  }
}

async function submitted(
  { clock, local, limits, submit }: ImportParts,
  account: AccountId,
  { receivedAt, expiresAt, read, message, bye }: MessageRecord,
  payload: Buffer | UploadId,
): Promise<'kept' | 'known'> {
  const { id: transaction, status: answered } = local.begin();
  const imported: ImportFacts = {
    ...{ receivedAt, read, message },
    ...(expiresAt !== undefined && { expiresAt }),
    ...(bye && { bye }),
  };
  submit(account, {
    kind: 'imported',
    payload,
    event: {
      type: 'message.imported',
      ...{ at: clock.now(), transaction, imported, message, limits },
    },
  });
  const status = await answered;
  if (status === 202) return 'kept';
  if (status === 204) return 'known';
  if (status === 413) throw new AccountsError('ACCOUNT_FULL', 'the account has no room');
  if (status === 503) throw new AccountsError('ACCOUNT_BUSY', 'the account takes nothing now');
  throw new AccountsError('ACCOUNT_FAILED', `the account answers ${status}`);
}
