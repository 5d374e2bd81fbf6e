/** Credentials of users: what digest authentication compares with (RFC 7616 3.4). */

import { digestUserhash } from '../wire/sip/digest-response.js';
import type { DigestHash, Hash } from '../wire/sip/digest-response.js';
import { canonicalAor } from '../wire/sip/uri.js';

/** Whose credentials are asked for. */
export interface CredentialsQuery {
  /** The user name as given, or its hash when `userhash` is set. */
  readonly username: string;
  readonly userhash: boolean;
  readonly realm: string;
  readonly algorithm: DigestHash;
}

/** What is known of a user. One of `ha1` for the algorithm and `password` has to be there. */
export interface UserCredentials {
  /** The AoR as a URI, such as `sip:bob@example.org`: the identity that is proven. */
  readonly identity: string;
  /** The user name itself, with which HA1 is made. */
  readonly username: string;
  readonly password?: string;
  /** H(username:realm:password) in hexadecimal digits, by algorithm. */
  readonly ha1?: Partial<Readonly<Record<DigestHash, string>>>;
}

/** Undefined: there is no such user. A rejection answers the request with 503. */
export type CredentialsPort = (
  query: CredentialsQuery,
) => UserCredentials | undefined | Promise<UserCredentials | undefined>;

/** Credentials of one AoR as an operator writes them. */
export interface ConfiguredCredentials {
  /** The name the user authenticates with; the AoR and its user part serve as well. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly ha1?: Partial<Readonly<Record<DigestHash, string | undefined>>> | undefined;
}

interface Entry {
  readonly identity: string;
  readonly password: string | undefined;
  readonly ha1: Partial<Record<DigestHash, string>>;
  /** Names with which HA1 may be made. */
  readonly names: readonly string[];
}

/** Credentials by AoR out of a configuration. A user part that two AoRs share names neither. */
export function configuredCredentials(
  users: Readonly<Record<string, ConfiguredCredentials>>,
  hash: Hash,
): CredentialsPort {
  const entries = Object.entries(users).map(([aor, credentials]) => entryOf(aor, credentials));
  const byName = indexed(entries, (name) => name);
  const byUserhash = new Map<string, ReadonlyMap<string, Named>>();
  return ({ username, userhash, realm, algorithm }) => {
    if (!userhash) return credentialsOf(byName.get(username));
    const key = `${algorithm} ${realm}`;
    let hashed = byUserhash.get(key);
    if (!hashed) {
      hashed = indexed(entries, (name) =>
        digestUserhash(hash, algorithm, { username: name, realm }),
      );
      byUserhash.set(key, hashed);
    }
    return credentialsOf(hashed.get(username));
  };
}

interface Named {
  readonly entry: Entry;
  readonly name: string;
}

function entryOf(aor: string, { username, password, ha1 }: ConfiguredCredentials): Entry {
  const identity = /^(sips?|tel):/i.test(aor) ? aor : `sip:${aor}`;
  const names = new Set<string>();
  if (username !== undefined) names.add(username);
  const canonical = canonicalAor(identity);
  if (canonical !== undefined) {
    names.add(canonical);
    const at = canonical.lastIndexOf('@');
    if (at > 0) names.add(canonical.slice(0, at));
  }
  const given = Object.entries(ha1 ?? {}).filter(([, value]) => value !== undefined);
  return {
    identity,
    password,
    ha1: Object.fromEntries(given.map(([name, value]) => [name, value?.toLowerCase()])),
    names: [...names],
  };
}

function indexed(entries: readonly Entry[], keyOf: (name: string) => string): Map<string, Named> {
  const index = new Map<string, Named>();
  const shared = new Set<string>();
  for (const entry of entries) {
    for (const name of entry.names) {
      const key = keyOf(name);
      if (index.has(key)) shared.add(key);
      else index.set(key, { entry, name });
    }
  }
  for (const key of shared) index.delete(key);
  return index;
}

function credentialsOf(named: Named | undefined): UserCredentials | undefined {
  if (!named) return undefined;
  const { identity, password, ha1 } = named.entry;
  return { identity, username: named.name, ha1, ...(password !== undefined && { password }) };
}
