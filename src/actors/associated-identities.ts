/**
 * Further identities of users as their S-CSCF tells them (P-Associated-URI, RFC 7315 4.1), mirrored
 * in the store. They outlive the registration by a time, since whoever is deferred to is offline.
 */

import type { AccountId, Association, AssociationsPort, Clock, Log } from '../ports.js';
import { storeCode } from './store-code.js';

export interface AssociatedOptions {
  /** Identities kept in total; the accounts heard of longest ago make room. */
  readonly bound: number;
  /** ms that they last behind the registration. */
  readonly lastingMs: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  /** Absent: they are kept in memory only. */
  readonly store: AssociationsPort | undefined;
}

interface Entry extends Association {
  /** The `until` that the store has. */
  readonly storedUntil: number;
}

/** Rows read at a time. */
const pageSize = 1_000;
/** Entries that ran out which one change takes along. */
const sweptMax = 4;
/** A refresh is written when it adds this part of the whole time. */
const refreshPart = 8;

export class AssociatedIdentities {
  readonly #options: AssociatedOptions;
  readonly #accounts = new Map<string, AccountId>();
  /** By account, the one heard of longest ago first. */
  readonly #entries = new Map<AccountId, Entry>();

  constructor(options: AssociatedOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** Reads what was told before this process began. */
  async load(): Promise<void> {
    const { clock } = this.#options;
    const found = await this.#stored();
    found.sort((one, other) => one.until - other.until);
    for (const association of found) {
      if (association.until <= clock.now()) this.#drop(association.account);
      else this.#set({ ...association, storedUntil: association.until });
    }
    this.#makeRoom();
  }

  /** The account of a canonical AoR. */
  accountOf(aor: string): AccountId | undefined {
    const account = this.#accounts.get(aor);
    if (account === undefined) return undefined;
    return this.#entries.get(account)!.until > this.#options.clock.now() ? account : undefined;
  }

  /** These are all of an account. An identity that was another's is this one's from here on. */
  replace(account: AccountId, aors: readonly string[], expiresMs: number): void {
    const former = this.#entries.get(account);
    const until = this.#until(expiresMs);
    if (!former && aors.length === 0) return;
    if (former && isSame(former.identities, aors)) {
      this.#extend(former, until);
      return;
    }
    if (aors.length === 0) this.#drop(account);
    else {
      for (const aor of aors) this.#take(aor, account);
      this.#set({ account, identities: aors, until, storedUntil: until });
      this.#write({ account, identities: aors, until });
    }
    this.#sweep();
    this.#makeRoom();
  }

  /** The account has registered and told nothing of identities. */
  refresh(account: AccountId, expiresMs: number): void {
    const entry = this.#entries.get(account);
    if (entry) this.#extend(entry, this.#until(expiresMs));
  }

  /** What cannot be read is learnt anew: nobody is kept waiting for it. */
  async #stored(): Promise<Association[]> {
    const { store, log } = this.#options;
    const found: Association[] = [];
    try {
      for (let after: AccountId | undefined; store;) {
        const range = after === undefined ? { limit: pageSize } : { after, limit: pageSize };
        const page = await store.list(range);
        found.push(...page);
        if (page.length < pageSize) break;
        after = page.at(-1)!.account;
      }
    } catch (error) {
      log.error({ code: storeCode(error) ?? String(error) }, 'identities of users cannot be read');
    }
    return found;
  }

  #until(expiresMs: number): number {
    const { clock, lastingMs } = this.#options;
    return clock.now() + expiresMs + lastingMs;
  }

  /** Not every refresh of a registration is worth a write. */
  #extend(entry: Entry, until: number): void {
    const { clock } = this.#options;
    const gain = until - entry.storedUntil;
    const isWritten = gain < 0 || gain * refreshPart >= until - clock.now();
    this.#set({ ...entry, until, storedUntil: isWritten ? until : entry.storedUntil });
    const { account, identities } = entry;
    if (isWritten) this.#write({ account, identities, until });
  }

  /** From whoever has it so far. */
  #take(aor: string, account: AccountId): void {
    const holder = this.#accounts.get(aor);
    const entry = holder === undefined ? undefined : this.#entries.get(holder);
    if (!entry || holder === account) return;
    const identities = entry.identities.filter((one) => one !== aor);
    if (identities.length === 0) this.#drop(entry.account);
    else {
      this.#entries.set(entry.account, { ...entry, identities });
      this.#accounts.delete(aor);
      this.#write({ account: entry.account, identities, until: entry.until });
    }
  }

  #set(entry: Entry): void {
    this.#forget(entry.account);
    this.#entries.set(entry.account, entry);
    for (const aor of entry.identities) this.#accounts.set(aor, entry.account);
  }

  #makeRoom(): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#accounts.size <= this.#options.bound) return;
      this.#drop(oldest);
    }
  }

  #sweep(): void {
    const now = this.#options.clock.now();
    let looked = 0;
    for (const { account, until } of this.#entries.values()) {
      if (until > now || ++looked > sweptMax) return;
      this.#drop(account);
    }
  }

  #drop(account: AccountId): void {
    this.#forget(account);
    this.#write({ account, identities: [], until: 0 });
  }

  #forget(account: AccountId): void {
    for (const aor of this.#entries.get(account)?.identities ?? []) {
      if (this.#accounts.get(aor) === account) this.#accounts.delete(aor);
    }
    this.#entries.delete(account);
  }

  /** What cannot be written is told again with the next registration. */
  #write(association: Association): void {
    const { store, log } = this.#options;
    store?.put(association).catch((error: unknown) => {
      const code = storeCode(error) ?? String(error);
      log.warn({ code, account: association.account }, 'identities of a user not kept');
    });
  }
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one, at) => one === others[at]);
}
