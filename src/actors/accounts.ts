/** Accounts as the HTTP faces see them: views on the store, and inputs that wait for their commit. */

import { hash } from 'node:crypto';
import { clientTarget } from '../machines/binding.js';
import type { AccountEvent, Limits } from '../machines/events.js';
import type { AtRest } from '../machines/index.js';
import type { MailboxContext } from '../machines/mailbox-context.js';
import { countSerials, intersection, serialSet } from '../machines/serial-set.js';
import type { SerialSet } from '../machines/serial-set.js';
import type {
  AccountId,
  AccountsPort,
  AccountSummary,
  Clock,
  StoredHistory,
  StorePort,
  UserSettings,
} from '../ports.js';
import type { Input } from './account-world.js';
import { AccountsError } from './accounts-error.js';
import { historyFacts } from './history.js';
import type { StoredFacts } from './history.js';
import type { LocalTransactions } from './local-transactions.js';
import type { ServedUsers } from './served-users.js';

export interface AccountsParts {
  readonly store: StorePort;
  readonly clock: Clock;
  readonly users: ServedUsers;
  readonly local: LocalTransactions;
  limits(account: AccountId): Limits;
  /** Hands an input to an account; a refusal answers its transaction. */
  submit(account: AccountId, input: Input): boolean;
}

/** The rows that one call returns at most. */
const historiesMax = 1_000;

/** A mailbox at rest; a field that it did not have when it was written is absent. */
type MailboxAtRest = Partial<MailboxContext> & { readonly settings?: UserSettings };

export class Accounts implements AccountsPort {
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

  async summary(account: AccountId): Promise<AccountSummary> {
    const mailbox = await this.#mailbox(account);
    const { stored = [], old = [], octets = 0, bindings = [], settings = {} } = mailbox ?? {};
    const messages = countSerials(stored);
    const oldestAt = await this.#oldestAt(account, stored);
    return {
      messages,
      unread: messages - countSerials(old),
      octets,
      ...(oldestAt !== undefined && { oldestAt }),
      settings,
      available: clientTarget(bindings, this.#parts.clock.now()) !== undefined,
      historyVersion: versionOf(stored),
    };
  }

  async histories(
    account: AccountId,
    { after, limit }: { readonly after?: number; readonly limit: number },
  ): Promise<readonly StoredHistory[]> {
    const rows = await this.#parts.store.scan(account, {
      kind: 'ua',
      limit: Math.min(limit, historiesMax),
      ...(after !== undefined && { after }),
    });
    const histories: StoredHistory[] = [];
    for (const { key, value } of rows) {
      if (key[0] !== 'ua') continue;
      const facts = storedFacts(value);
      const reference = this.#parts.users.messageUri(key[1]);
      histories.push({ ...historyFacts(facts, reference), serial: key[1] });
    }
    return histories;
  }

  async deleteMessages(account: AccountId, serials: readonly number[]): Promise<number> {
    const mailbox = await this.#mailbox(account);
    const existing = intersection(serialSet(serials), mailbox?.stored ?? []);
    if (existing.length === 0) return 0;
    // Accepted as a whole; the mailbox goes through with it batch by batch.
    await this.#ask(account, (transaction, at, limits) => ({
      type: 'deletion.requested',
      ...{ at, transaction, serials: existing, foreign: [], limits },
    }));
    return countSerials(existing);
  }

  async configure(account: AccountId, settings: UserSettings): Promise<void> {
    await this.#ask(account, (transaction, at, limits) => ({
      type: 'settings.received',
      ...{ at, transaction, settings, limits },
    }));
  }

  /** Resolves when what the input has done is durable. 404 is an answer: there was nothing to do. */
  async #ask(
    account: AccountId,
    eventOf: (transaction: string, at: number, limits: Limits) => object,
  ): Promise<number> {
    const { clock, local, limits, submit } = this.#parts;
    const { id, status: answered } = local.begin();
    const event = eventOf(id, clock.now(), limits(account)) as AccountEvent;
    submit(account, { kind: 'event', to: 'mailbox', event });
    const status = await answered;
    if ((status >= 200 && status < 300) || status === 404) return status;
    if (status === 503) throw new AccountsError('ACCOUNT_BUSY', 'the account takes nothing now');
    throw new AccountsError('ACCOUNT_FAILED', `the account answers ${status}`);
  }

  /** As it is durable: what is under way has been promised to nobody. */
  async #mailbox(account: AccountId): Promise<MailboxAtRest | undefined> {
    const [value] = await this.#parts.store.get(account, [['actor', 'mailbox']]);
    return (value as AtRest | undefined)?.context;
  }

  /** Serials rise with the time of receipt. */
  async #oldestAt(account: AccountId, stored: SerialSet): Promise<number | undefined> {
    const [oldest] = stored;
    if (oldest === undefined) return undefined;
    const [value] = await this.#parts.store.get(account, [['ua', oldest]]);
    return value === undefined ? undefined : storedFacts(value).receivedAt;
  }
}

function storedFacts(value: unknown): StoredFacts {
  const { message, receivedAt, expiresAt } = (value as AtRest).context as unknown as StoredFacts;
  return { message, receivedAt, expiresAt: expiresAt ?? undefined };
}

/** Of the set itself, so that it is the same on every node and after every restart. */
function versionOf(stored: SerialSet): string {
  return hash('sha256', stored.join(' '), 'base64url').slice(0, 22);
}
