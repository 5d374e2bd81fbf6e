/**
 * Further identities of users as their S-CSCF tells them (P-Associated-URI, RFC 7315 4.1). They are
 * kept in memory only, until the S-CSCF tells otherwise: whoever must be reached by a further
 * identity after a restart of the node needs an alias in the configuration.
 */

import type { AccountId } from '../ports.js';

export interface AssociatedOptions {
  /** Identities kept in total; the accounts heard of longest ago make room. */
  readonly bound: number;
}

export class AssociatedIdentities {
  readonly #bound: number;
  readonly #accounts = new Map<string, AccountId>();
  /** By account, the one heard of longest ago first. */
  readonly #identities = new Map<AccountId, readonly string[]>();

  constructor(options: AssociatedOptions) {
    this.#bound = options.bound;
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** The account of a canonical AoR. */
  accountOf(aor: string): AccountId | undefined {
    return this.#accounts.get(aor);
  }

  /** These are all of an account. An identity that was another's is this one's from here on. */
  replace(account: AccountId, aors: readonly string[]): void {
    this.#forget(account);
    if (aors.length === 0) return;
    this.#identities.set(account, aors);
    for (const aor of aors) this.#accounts.set(aor, account);
    for (const oldest of this.#identities.keys()) {
      if (this.#accounts.size <= this.#bound) return;
      this.#forget(oldest);
    }
  }

  #forget(account: AccountId): void {
    for (const aor of this.#identities.get(account) ?? []) {
      if (this.#accounts.get(aor) === account) this.#accounts.delete(aor);
    }
    this.#identities.delete(account);
  }
}
