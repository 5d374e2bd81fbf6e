/** Questions to the state of a bounded account, asked by its world and by invariants. */

import type { Address, Counts } from '../machines/events.js';
import type { AtRest } from '../machines/index.js';
import { isReachable } from '../machines/binding.js';
import { noMessages, recount } from '../machines/counts.js';
import type { MailboxContext } from '../machines/mailbox-context.js';
import { serialSet, type SerialSet } from '../machines/serial-set.js';
import type { AccountState } from './bounded-account.js';
import { messageAtRest, type MessageAtRest } from './ledger.js';

/** The mailbox in memory. */
export function mailboxOf({ memory }: AccountState): MailboxContext | undefined {
  return memory?.actors.get('mailbox')?.snapshot.context as MailboxContext | undefined;
}

/** The mailbox as the store has it. */
export function mailboxAtRest({ store }: AccountState): MailboxContext | undefined {
  const row = store.rows.get('actor mailbox');
  return row && ((row.value as AtRest).context as unknown as MailboxContext);
}

/** The messages at rest. */
export function messagesOf({ store }: AccountState): MessageAtRest[] {
  const messages: MessageAtRest[] = [];
  for (const { key, value } of store.rows.values()) {
    if (key[0] === 'ua') messages.push(messageAtRest(value));
  }
  return messages;
}

export function storedSerials(state: AccountState): number[] {
  return messagesOf(state).map(({ serial }) => serial);
}

/** What the mailbox would have to know of the messages that are stored. */
export interface Inventory {
  readonly stored: SerialSet;
  readonly old: SerialSet;
  readonly counts: Counts;
  readonly octets: number;
}

export function inventoryOf(state: AccountState): Inventory {
  let counts = noMessages;
  let octets = 0;
  const stored: number[] = [];
  const old: number[] = [];
  for (const { serial, message, read } of messagesOf(state)) {
    stored.push(serial);
    if (read) old.push(serial);
    counts = recount(counts, message, read ? 'old' : 'new', 1);
    octets += message.size;
  }
  return { stored: serialSet(stored), old: serialSet(old), counts, octets };
}

/** A client of the user is registered. */
export function isBound(state: AccountState): boolean {
  const mailbox = mailboxOf(state);
  return mailbox !== undefined && isReachable(mailbox.bindings, state.now);
}

/** The sessions that are in memory: each waits for a peer, and is gone when it ends. */
export function sessionsOf({ memory }: AccountState): Address[] {
  const kinds = /^(push|focus|recording|forward|bridge)\//;
  return [...(memory?.actors.keys() ?? [])].filter((address) => kinds.test(address));
}

/** Somebody has brought a message, and has not heard what became of it. */
export function isUnanswered({ peers }: AccountState): boolean {
  const { submissions, offers, imports } = peers;
  return [submissions, offers, imports].some((all) => all.includes('unanswered'));
}
