/** Whom the node serves: which identity leads to which account, and which URIs are the store's. */

import type { AccountId, ProvisioningPort } from '../ports.js';
import { WireError } from '../wire/error.js';
import { canonicalAor, parseUri } from '../wire/sip/uri.js';
import type { AssociatedIdentities } from './associated-identities.js';

/** What a Request-URI, or the URI in a list, stands for here. */
export type Named =
  | { readonly kind: 'user'; readonly account: AccountId }
  /** `Deferred@hostname`: the Deferred Messaging Function. */
  | { readonly kind: 'deferred' }
  /** `Delete@hostname`: takes lists of messages that are to go (D-31). */
  | { readonly kind: 'delete' }
  /** A Message-ID of this store. */
  | { readonly kind: 'message'; readonly serial: number }
  /** A URI without user part: the server itself. */
  | { readonly kind: 'server' }
  /** At a host of the store, and neither of these. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unknown' }
  /** Neither sip, sips nor tel. */
  | { readonly kind: 'scheme' };

/** Identities of a user, and for how many ms. */
export type Learnt = (account: AccountId, uris: readonly string[], expiresMs: number) => void;

export interface ServedUserOptions {
  readonly hostname: string;
  readonly serviceHosts?: readonly string[] | undefined;
  readonly deferredUser?: string | undefined;
  /** Further user parts of the same (D-06). */
  readonly deferredAliases?: readonly string[] | undefined;
  readonly deleteUser?: string | undefined;
  readonly domains: readonly string[];
  readonly users?: readonly string[] | undefined;
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** Who has an account beside those above, or is refused in spite of them. */
  readonly provisioning?: ProvisioningPort | undefined;
  /** Nobody has an account for being in a served domain alone. */
  readonly provisionedOnly?: boolean | undefined;
  /** Identities that are learnt. */
  readonly associated: AssociatedIdentities;
  /** Hears of what is told. */
  readonly learnt?: Learnt | undefined;
}

/** Serials are decimal numbers without leading zeros that a double holds exactly. */
const serialForm = /^[1-9][0-9]{0,14}$/;
/** RFC 3261 25.1; what stands before `@` without scheme has no colon. */
const hasScheme = /^[a-z][a-z0-9+.-]*:/i;

export class ServedUsers {
  readonly #hostname: string;
  readonly #hosts: ReadonlySet<string>;
  readonly #deferredUser: string;
  readonly #deferredUsers: ReadonlySet<string>;
  readonly #deleteUser: string;
  readonly #domains: ReadonlySet<string>;
  readonly #everyDomain: boolean;
  readonly #users: ReadonlySet<string> | undefined;
  readonly #aliases: ReadonlyMap<string, AccountId>;
  readonly #provisioning: ProvisioningPort | undefined;
  readonly #associated: AssociatedIdentities;
  readonly #learnt: ServedUserOptions['learnt'];

  constructor(options: ServedUserOptions) {
    this.#hostname = options.hostname.toLowerCase();
    const hosts = [options.hostname, ...(options.serviceHosts ?? [])];
    this.#hosts = new Set(hosts.map((host) => host.toLowerCase()));
    this.#deferredUser = options.deferredUser ?? 'Deferred';
    this.#deferredUsers = new Set([this.#deferredUser, ...(options.deferredAliases ?? [])]);
    this.#deleteUser = options.deleteUser ?? 'Delete';
    this.#domains = new Set(options.domains.map((domain) => domain.toLowerCase()));
    this.#everyDomain = this.#domains.has('*');
    const users = options.users ?? (options.provisionedOnly === true ? [] : undefined);
    this.#users = users && new Set(users.map(canonicalIdentity));
    this.#provisioning = options.provisioning;
    this.#associated = options.associated;
    this.#learnt = options.learnt;
    const aliases = Object.entries(options.aliases ?? {});
    this.#aliases = new Map(
      aliases.map(([from, to]) => [canonicalIdentity(from), canonicalIdentity(to)]),
    );
  }

  get hostname(): string {
    return this.#hostname;
  }

  /** `sip:Deferred@hostname`. */
  get deferredUri(): string {
    return `sip:${this.#deferredUser}@${this.#hostname}`;
  }

  /** The account of a served identity; undefined for anybody else. */
  account(uri: string): AccountId | undefined {
    const aor = canonicalAor(uri);
    return aor === undefined ? undefined : this.#accountOf(aor);
  }

  named(uri: string): Named {
    const aor = canonicalAor(uri);
    if (aor === undefined) return this.#withoutUser(uri);
    const at = aor.lastIndexOf('@');
    if (at > 0 && this.#hosts.has(aor.slice(at + 1))) {
      const user = aor.slice(0, at);
      if (this.#deferredUsers.has(user)) return { kind: 'deferred' };
      if (user === this.#deleteUser) return { kind: 'delete' };
      if (serialForm.test(user) && aor.slice(at + 1) === this.#hostname) {
        return { kind: 'message', serial: Number(user) };
      }
    }
    const account = this.#accountOf(aor);
    if (account === undefined && this.#isAtStore(aor)) return { kind: 'nothing' };
    return account === undefined ? { kind: 'unknown' } : { kind: 'user', account };
  }

  /**
   * A trusted S-CSCF has told the identities of a user. Learnt are those that lead nowhere else:
   * what is configured, has a mailbox of its own, or is the store's stays what it is. Where it has
   * told none, what is known remains.
   */
  associate(account: AccountId, uris: readonly string[], expiresMs: number): void {
    this.#learnt?.(account, uris, expiresMs);
    if (uris.length === 0) {
      this.#associated.refresh(account, expiresMs);
      return;
    }
    const learnt = new Set<string>();
    for (const uri of uris) {
      const aor = canonicalAor(uri);
      if (aor !== undefined && this.#mayLearn(aor)) learnt.add(aor);
    }
    this.#associated.replace(account, [...learnt], expiresMs);
  }

  /** The serial of a Message-ID of this store, as people write them (D-01): without scheme too. */
  serialOf(id: string): number | undefined {
    const bare = /^<([^<>]*)>$/.exec(id.trim())?.[1]?.trim() ?? id.trim();
    const named = this.named(hasScheme.test(bare) ? bare : `sip:${bare}`);
    return named.kind === 'message' ? named.serial : undefined;
  }

  /** Message-ID with scheme (D-01). */
  messageUri(serial: number): string {
    return `sip:${serial}@${this.#hostname}`;
  }

  /** The hosts of the store have users of their own only when they are named as domains. */
  servesDomain(domain: string): boolean {
    if (this.#domains.has(domain)) return true;
    return this.#everyDomain && !this.#hosts.has(domain);
  }

  #accountOf(aor: string): AccountId | undefined {
    const provisioned = this.#provisioning?.find(aor);
    if (provisioned) return provisioned.disabled ? undefined : provisioned.account;
    const alias = this.#aliases.get(aor);
    if (alias === undefined && this.#ownAccountOf(aor) !== undefined) return aor;
    const account = alias ?? this.#associated.accountOf(aor);
    if (account === undefined || !this.#provisioning) return account;
    return this.#provisioning.find(account)?.disabled === true ? undefined : account;
  }

  #ownAccountOf(aor: string): AccountId | undefined {
    const at = aor.lastIndexOf('@');
    if (at <= 0) return undefined;
    if (this.#users) return this.#users.has(aor) ? aor : undefined;
    return this.servesDomain(aor.slice(at + 1)) ? aor : undefined;
  }

  /** TEL-01: a local number without context could be anybody's. */
  #mayLearn(aor: string): boolean {
    if (this.#aliases.has(aor) || this.#isAtStore(aor)) return false;
    if (this.#provisioning?.find(aor)) return false;
    if (this.#ownAccountOf(aor) !== undefined) return false;
    return aor.includes('@') || aor.startsWith('+') || aor.includes(';phone-context=');
  }

  #isAtStore(aor: string): boolean {
    return this.#hosts.has(aor.slice(aor.lastIndexOf('@') + 1));
  }

  #withoutUser(uri: string): Named {
    let parsed;
    try {
      parsed = parseUri(uri);
    } catch (error) {
      if (error instanceof WireError) return { kind: 'unknown' };
      throw error;
    }
    if (parsed.scheme === 'other') return { kind: 'scheme' };
    if (parsed.scheme === 'tel') return { kind: 'unknown' };
    return parsed.user === undefined ? { kind: 'server' } : { kind: 'unknown' };
  }
}

/** Configured identities come as URIs or as bare `user@domain`. */
export function canonicalIdentity(identity: string): string {
  const uri = /^(sips?|tel):/i.test(identity) ? identity : `sip:${identity}`;
  return canonicalAor(uri) ?? identity;
}
