/** The rows that an account is loaded with. */

import type { AccountId, Loaded, Row } from '../ports.js';
import { decodeKey, loadRange, wholeRange } from './keys.js';
import type { Entry, Table } from './table.js';

/** An account with fewer rows is read as a whole. */
const smallRows = 64;
/** An iterator counts in 32 bits. */
const rowsMax = 0x7fffffff;

type LoadedRows = Pick<Loaded, 'rows' | 'messages'> & { readonly wakeAt?: number };

/**
 * One range where the account is small: the mailbox of somebody who is seldom written to is loaded
 * for each message. `wakeAt` is absent where there is no such record.
 */
export async function loadRows(
  table: Pick<Table, 'range'>,
  account: AccountId,
  decode: (entry: Entry) => unknown,
): Promise<LoadedRows> {
  const whole = await table.range({ ...wholeRange(account), limit: smallRows });
  const isWhole = whole.length < smallRows;
  const entries = isWhole ? whole : await table.range({ ...loadRange(account), limit: rowsMax });
  const rows: Row[] = [];
  const messages: Row[] = [];
  let wakeAt: number | undefined;
  for (const entry of entries) {
    const key = decodeKey(entry.key);
    if (key[0] === 'wakeAt') {
      const value = decode(entry);
      if (typeof value === 'number') wakeAt = value;
    } else if (key[0] === 'row' && key[2][0] !== 'timer') {
      const isOfMessage = key[2][0] === 'ua' || key[2][0] === 'seen';
      (isOfMessage ? messages : rows).push({ key: key[2], value: decode(entry) });
    }
  }
  return { rows, ...(isWhole && { messages }), ...(wakeAt !== undefined && { wakeAt }) };
}
