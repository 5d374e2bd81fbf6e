/** The rows that an account is loaded with. */

import type { AccountId, Loaded, Row } from '../ports.js';
import { decodeKey, loadRange, messageRange, wholeRange } from './keys.js';
import type { Entry, Table } from './table.js';

/**
 * An account with fewer rows is read as a whole, unless whoever loads it has a use for more: of a
 * larger one, those that are not needed are read in vain.
 */
const smallRows = 24;
/** Of a larger one: mostly few messages have come of late, and few are remembered that are gone. */
const latestRows = 8;
/** An iterator counts in 32 bits. */
const rowsMax = 0x7fffffff;

type Decode = (entry: Entry) => unknown;
type LoadedRows = Omit<Loaded, 'version' | 'wakeAt'> & { readonly wakeAt?: number };

/**
 * One range where the account is small, two where it is larger, three only where its outbox is: the
 * mailbox of somebody who is seldom written to is loaded for each message. `wakeAt` is absent where
 * there is no such record.
 */
export async function loadRows(
  table: Pick<Table, 'range'>,
  account: AccountId,
  decode: Decode,
  whole = smallRows,
): Promise<LoadedRows> {
  const first = await table.range({ ...wholeRange(account), limit: whole });
  if (first.length < whole) {
    const { rows, messages, timers, wakeAt } = sorted(first, decode);
    return { rows, messages, ...(timers && { timers }), ...wakeAt };
  }
  const needed = loadRange(account);
  // What stands behind the outbox shows that all in front of it was read.
  const end = first.findIndex(({ key }) => key.compare(needed.to) >= 0);
  const entries = end < 0 ? await table.range({ ...needed, limit: rowsMax }) : first.slice(0, end);
  const { rows, wakeAt } = sorted(entries, decode);
  const range = { ...messageRange(account), limit: latestRows, reverse: true };
  const { messages: latest } = sorted(await table.range(range), decode);
  return { rows, latest, ...wakeAt };
}

interface Sorted {
  readonly rows: readonly Row[];
  readonly messages: readonly Row[];
  /** Undefined: one of them is damaged, and met again by whoever needs it. */
  readonly timers: readonly Row[] | undefined;
  readonly wakeAt: { readonly wakeAt?: number };
}

function sorted(entries: readonly Entry[], decode: Decode): Sorted {
  const rows: Row[] = [];
  const messages: Row[] = [];
  let timers: Row[] | undefined = [];
  let wakeAt = {};
  for (const entry of entries) {
    const key = decodeKey(entry.key);
    if (key[0] === 'wakeAt') {
      const value = decode(entry);
      if (typeof value === 'number') wakeAt = { wakeAt: value };
    } else if (key[0] === 'row') {
      const [kind] = key[2];
      if (kind === 'timer') timers = timers && soundTimer(timers, key[2], entry, decode);
      else (isOfMessage(kind) ? messages : rows).push({ key: key[2], value: decode(entry) });
    }
  }
  return { rows, messages, timers, wakeAt };
}

function isOfMessage(kind: Row['key'][0]): boolean {
  return kind === 'ua' || kind === 'seen';
}

/** Whoever stores a message needs no timers: it is not refused for one that is damaged. */
function soundTimer(
  timers: Row[],
  key: Row['key'],
  entry: Entry,
  decode: Decode,
): Row[] | undefined {
  try {
    timers.push({ key, value: decode(entry) });
    return timers;
  } catch {
    return undefined;
  }
}
