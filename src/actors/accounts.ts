/** Accounts as the HTTP faces see them: views on the store, and inputs that wait for their commit. */

import { hash } from 'node:crypto';
import { isReachable } from '../machines/binding.js';
import type { Limits, MailboxEvent } from '../machines/events.js';
import { mailbox as mailboxMachine } from '../machines/index.js';
import type { AtRest } from '../machines/index.js';
import { emptyMailbox, kept } from '../machines/mailbox-context.js';
import type { MailboxContext } from '../machines/mailbox-context.js';
import {
  countSerials,
  difference,
  hasSerial,
  intersection,
  serialSet,
} from '../machines/serial-set.js';
import type { SerialSet } from '../machines/serial-set.js';
import type {
  AccountId,
  AccountRange,
  AccountSummary,
  Clock,
  Content,
  MailboxImport,
  OperatorPort,
  PushOutcome,
  StoredHistory,
  StorePort,
  UserSettings,
} from '../ports.js';
import type { MessageRecord } from '../wire/mailbox-stream/record.js';
import type { Input } from './account-world.js';
import { AccountsError } from './accounts-error.js';
import { historyFacts } from './history.js';
import { beginImport, messageRecords } from './mailbox-transfer.js';
import type { StoredFacts } from './history.js';
import type { LocalTransactions } from './local-transactions.js';
import type { ServedUsers } from './served-users.js';

export interface AccountsParts {
  readonly store: StorePort;
  readonly clock: Clock;
  readonly users: ServedUsers;
  readonly local: LocalTransactions;
  readonly limits: Limits;
  /** Of an account. */
  limitsOf(account: AccountId): Limits;
  /** Hands an input to an account; a refusal answers its transaction. */
  submit(account: AccountId, input: Input): boolean;
}

/** The rows that one call returns at most. */
const historiesMax = 1_000;

/** Every serial there can be. */
const everySerial: SerialSet = [1, Number.MAX_SAFE_INTEGER];

const pushOutcomes: ReadonlyMap<number, PushOutcome> = new Map([
  [202, 'pushing'],
  [204, 'nothing'],
  [480, 'unavailable'],
  [409, 'paused'],
]);

export class Accounts implements OperatorPort {
  readonly #parts: AccountsParts;

  constructor(parts: AccountsParts) {
    this.#parts = parts;
  }

  accountOf(uri: string): AccountId | undefined {
    return this.#parts.users.account(uri);
  }

  serialOf(uri: string): number | undefined {
    const named = this.#parts.users.named(uri);
    return named.kind === 'message' ? named.serial : undefined;
  }

  async exists(account: AccountId): Promise<boolean> {
    return (await this.#atRest(account)) !== undefined;
  }

  accounts(range: AccountRange): Promise<readonly AccountId[]> {
    return this.#parts.store.accounts(range);
  }

  async summary(account: AccountId): Promise<AccountSummary> {
    const mailbox = await this.#mailbox(account);
    const now = this.#parts.clock.now();
    const stored = kept(mailbox);
    const oldestAt = await this.#oldestAt(account, stored);
    const offlineDelivery = chosenDelivery(mailbox, now);
    return {
      messages: countSerials(stored),
      unread: countSerials(difference(stored, mailbox.old)),
      octets: mailbox.octets,
      ...(oldestAt !== undefined && { oldestAt }),
      settings: offlineDelivery === undefined ? {} : { offlineDelivery },
      available: isReachable(mailbox.bindings, now),
      ...(mailbox.paused && { paused: true }),
      historyVersion: versionOf(stored),
    };
  }

  async histories(
    account: AccountId,
    range: { readonly after?: number; readonly limit: number },
  ): Promise<readonly StoredHistory[]> {
    const stored = kept(await this.#mailbox(account));
    const histories: StoredHistory[] = [];
    const most = Math.min(range.limit, historiesMax);
    let { after = 0 } = range;
    while (histories.length < most) {
      const limit = most - histories.length;
      const rows = await this.#parts.store.scan(account, { kind: 'ua', after, limit });
      for (const { key, value } of rows) {
        if (key[0] !== 'ua') continue;
        after = key[1];
        // What is about to be deleted is nobody's any more.
        if (!hasSerial(stored, after)) continue;
        const reference = this.#parts.users.messageUri(after);
        histories.push({ ...historyFacts(storedFacts(value), reference), serial: after });
      }
      if (rows.length < limit) break;
    }
    return histories;
  }

  deleteMessages(account: AccountId, serials: readonly number[]): Promise<number> {
    return this.#delete(account, serialSet(serials));
  }

  purge(account: AccountId): Promise<number> {
    return this.#delete(account, everySerial);
  }

  async remove(account: AccountId, how?: { readonly moved: boolean }): Promise<number> {
    if (!(await this.exists(account))) return 0;
    const existing = countSerials(kept(await this.#mailbox(account)));
    await this.#ask(account, (transaction, at, limits) => ({
      type: 'account.removed',
      ...{ at, transaction, limits },
      ...(how?.moved && { moved: true }),
    }));
    return existing;
  }

  async configure(account: AccountId, settings: UserSettings): Promise<void> {
    await this.#ask(account, (transaction, at, limits) => ({
      type: 'settings.received',
      ...{ at, transaction, settings, limits },
    }));
  }

  async pause(account: AccountId, paused: boolean): Promise<void> {
    // Whoever has no mailbox is not paused.
    if (!paused && !(await this.exists(account))) return;
    const type = paused ? 'delivery.paused' : 'delivery.resumed';
    await this.#ask(account, (transaction, at, limits) => ({ type, at, transaction, limits }));
  }

  async requeue(account: AccountId, serial: number): Promise<boolean> {
    if (!(await this.exists(account))) return false;
    const status = await this.#ask(account, (transaction, at, limits) => ({
      type: 'requeue.requested',
      ...{ at, transaction, serial, limits },
    }));
    return status !== 404;
  }

  async records(
    account: AccountId,
    range: { readonly after?: number; readonly limit: number },
  ): Promise<readonly MessageRecord[]> {
    const stored = kept(await this.#mailbox(account));
    return messageRecords(this.#parts.store, account, stored, range);
  }

  async beginImport(account: AccountId): Promise<MailboxImport> {
    const { store, clock, local, limits, submit } = this.#parts;
    return beginImport(
      { store, clock, local, limits, submit },
      account,
      async (messages, octets) => {
        const mailbox = await this.#mailbox(account);
        const { quota } = this.#parts.limitsOf(account);
        const count = countSerials(mailbox.stored) + messages;
        return count <= quota.messages && mailbox.octets + octets <= quota.octets;
      },
    );
  }

  async push(account: AccountId): Promise<PushOutcome> {
    if (!(await this.exists(account))) return 'unavailable';
    const status = await this.#ask(account, (transaction, at, limits) => ({
      type: 'push.requested',
      ...{ at, transaction, limits },
    }));
    return pushOutcomes.get(status) ?? 'nothing';
  }

  content(account: AccountId, serial: number): Promise<Content | undefined> {
    return this.#parts.store.content(account, serial);
  }

  /** Those that are there when their number is taken; others may come until the input's turn. */
  async #delete(account: AccountId, serials: SerialSet): Promise<number> {
    const existing = intersection(serials, kept(await this.#mailbox(account)));
    const atRest = await this.exists(account);
    if (existing.length === 0 && !(atRest && serials === everySerial)) return 0;
    await this.#ask(account, (transaction, at, limits) => ({
      type: 'deletion.requested',
      ...{ at, transaction, serials, foreign: [], limits },
    }));
    return countSerials(existing);
  }

  /** Resolves when what the input has done is durable, with a status that is no failure. */
  async #ask(
    account: AccountId,
    eventOf: (transaction: string, at: number, limits: Limits) => MailboxEvent,
  ): Promise<number> {
    const { clock, local, limits, submit } = this.#parts;
    const { id, status: answered } = local.begin();
    submit(account, { kind: 'event', to: 'mailbox', event: eventOf(id, clock.now(), limits) });
    const status = await answered;
    if (status < 500) return status;
    if (status === 503) throw new AccountsError('ACCOUNT_BUSY', 'the account takes nothing now');
    throw new AccountsError('ACCOUNT_FAILED', `the account answers ${status}`);
  }

  /** As it is durable: what is under way has been promised to nobody. */
  async #mailbox(account: AccountId): Promise<MailboxContext> {
    const atRest = await this.#atRest(account);
    if (!atRest) return emptyMailbox;
    return mailboxMachine.revive(atRest).context as MailboxContext;
  }

  async #atRest(account: AccountId): Promise<AtRest | undefined> {
    const [value] = await this.#parts.store.get(account, [['actor', 'mailbox']]);
    return value as AtRest | undefined;
  }

  /** Serials rise with the time of receipt. */
  async #oldestAt(account: AccountId, stored: SerialSet): Promise<number | undefined> {
    const [oldest] = stored;
    if (oldest === undefined) return undefined;
    const [value] = await this.#parts.store.get(account, [['ua', oldest]]);
    return value === undefined ? undefined : storedFacts(value).receivedAt;
  }
}

/** What the user has published, or was provisioned; undefined: the default of the operator. */
function chosenDelivery({ publications, settings }: MailboxContext, now: number) {
  for (const { active, expiresAt } of publications.toReversed()) {
    if (active !== undefined && expiresAt > now) return active;
  }
  return settings.offlineDelivery;
}

function storedFacts(value: unknown): StoredFacts {
  const { message, receivedAt, expiresAt } = (value as AtRest).context as unknown as StoredFacts;
  return { message, receivedAt, expiresAt: expiresAt ?? undefined };
}

/** Of the set itself, so that it is the same on every node and after every restart. */
function versionOf(stored: SerialSet): string {
  return hash('sha256', stored.join(' '), 'base64url').slice(0, 22);
}
