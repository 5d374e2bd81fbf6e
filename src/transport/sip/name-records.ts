/** The records of names: asked once at a time, kept for a while, known not to exist for a while. */

import { lookup, Resolver } from 'node:dns/promises';
import type { Clock } from '../../ports.js';

export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly replacement: string;
}

export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly name: string;
}

/** Answers from DNS. A name without such records yields none or rejects; both mean the same. */
export interface NameSource {
  naptr(name: string): Promise<readonly NaptrRecord[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** A and AAAA, in the order of preference. */
  addresses(name: string): Promise<readonly string[]>;
}

/** How long one server of DNS has to answer, and how often it is asked. */
const dnsMs = 2_000;
const dnsTries = 2;

/** DNS as the system knows it; addresses by way of the system, which has names of its own. */
export function systemNames(): NameSource {
  const resolver = new Resolver({ timeout: dnsMs, tries: dnsTries });
  return {
    naptr: (name) => resolver.resolveNaptr(name),
    srv: (name) => resolver.resolveSrv(name),
    async addresses(name) {
      const found = await lookup(name, { all: true, verbatim: true });
      return found.map(({ address }) => address);
    },
  };
}

/** How much is remembered of names. */
export interface NameLimits {
  readonly names: number;
  /** Answers that are under way at a time. */
  readonly pending: number;
  /** Node does not tell how long a record is valid. */
  readonly keepMs: number;
  readonly keepAbsentMs: number;
}

export const nameLimits: NameLimits = {
  names: 10_000,
  pending: 1_000,
  keepMs: 30_000,
  keepAbsentMs: 10_000,
};

interface Known {
  readonly records: readonly unknown[];
  readonly until: number;
}

/** A source that remembers. Never rejects: what cannot be found out is no record. */
export function rememberNames(source: NameSource, clock: Clock, limits: NameLimits): NameSource {
  const known = new Map<string, Known>();
  const pending = new Map<string, Promise<readonly unknown[]>>();

  const ask = async <T>(
    kind: string,
    name: string,
    answer: (name: string) => Promise<readonly T[]>,
  ): Promise<readonly T[]> => {
    const key = `${kind} ${name.toLowerCase()}`;
    const before = known.get(key);
    if (before && before.until > clock.now()) return before.records as readonly T[];
    const underWay = pending.get(key);
    if (underWay) return underWay as Promise<readonly T[]>;
    if (pending.size >= limits.pending) return [];
    const asked = answer(name).catch((): readonly T[] => []);
    pending.set(key, asked);
    const records = await asked;
    pending.delete(key);
    const keptMs = records.length > 0 ? limits.keepMs : limits.keepAbsentMs;
    // What was asked for first goes first.
    known.delete(key);
    if (known.size >= limits.names) known.delete(known.keys().next().value!);
    known.set(key, { records, until: clock.now() + keptMs });
    return records;
  };
  return {
    naptr: (name) => ask('naptr', name, source.naptr),
    srv: (name) => ask('srv', name, source.srv),
    addresses: (name) => ask('addresses', name, source.addresses),
  };
}
