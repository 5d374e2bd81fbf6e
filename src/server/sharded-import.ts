/** A mailbox that comes in at the front, on its way into the store of its shard. */

import { pieceBytes, submissionOf, wholeMax } from '../actors/mailbox-transfer.js';
import type { AccountId, Content, MailboxImport, OperatorPort } from '../ports.js';
import type { MessageRecord } from '../wire/mailbox-stream/record.js';

/** Asks the shard of the account. */
type Ask = (name: string, ...parameters: readonly unknown[]) => Promise<unknown>;

const page = 256;
let last = 0;

/**
 * What stands there is known at the front, for it is looked up message by message; the shard looks
 * once more. A large message goes there in pieces, each a question of its own: none takes long.
 */
export async function shardedImport(
  { records }: Pick<OperatorPort, 'records'>,
  account: AccountId,
  ask: Ask,
): Promise<MailboxImport> {
  const id = ++last;
  await ask('importBegin', account, id);
  const known = await knownSubmissions(records, account);
  return {
    isKnown: (record) => known.has(submissionOf(record)),
    admit: async (messages, octets) => {
      await ask('importAdmit', id, messages, octets);
    },
    take: async (record, content) => {
      const outcome = await taken(ask, id, record, content);
      known.add(submissionOf(record));
      return outcome;
    },
    end: () => {
      known.clear();
      // A shard that is gone holds nothing.
      ask('importEnd', id).catch(() => undefined);
    },
  };
}

async function knownSubmissions(
  records: OperatorPort['records'],
  account: AccountId,
): Promise<Set<string>> {
  const known = new Set<string>();
  for (let after = 0; ;) {
    const found = await records(account, { after, limit: page });
    for (const record of found) known.add(submissionOf(record));
    if (found.length < page) return known;
    after = found.at(-1)!.serial;
  }
}

async function taken(
  ask: Ask,
  id: number,
  record: MessageRecord,
  content: Content,
): Promise<'kept' | 'known'> {
  const { size } = content;
  if (size <= wholeMax) {
    const octets = await content.read(0, size);
    return (await ask('importTake', id, record, octets)) as 'kept' | 'known';
  }
  await ask('importOpen', id, record, size);
  for (let at = 0; at < size; at += pieceBytes) {
    await ask('importPiece', id, await content.read(at, pieceBytes));
  }
  return (await ask('importClose', id)) as 'kept' | 'known';
}
