/** Everything that was sent, and what became of it: the rules that no fault may break. */

import type { Look } from './inspection.js';
import { bodyOf } from './random.js';

export interface Entry {
  readonly number: number;
  readonly user: string;
  readonly size: number;
  /** The sender was told that it is kept. */
  acknowledged: boolean;
  /** When it may be gone (ms since the epoch); undefined: not of itself. */
  readonly expiresAt: number | undefined;
  readonly wantsReports: boolean;
  /** The recipient has taken it, and told the server so. */
  taken: number;
  /** The server has shown that it knows: it must never come again. */
  confirmed: boolean;
  deletion: 'none' | 'asked' | 'acknowledged';
  /** Call-ID of each report by its status. */
  readonly reports: Map<string, string>;
}

/** What a whole run has come to. */
export interface Tally {
  kills: number;
  killsAtStart: number;
  /** Of one of several shards, beside those of everything. */
  shardKills: number;
  sent: number;
  acknowledged: number;
  large: number;
  refused: number;
  deliveries: number;
  retrieved: number;
  deletions: number;
  expired: number;
  reports: number;
  notifications: number;
  /** Deliveries that were repeated because the fault cut off their confirmation: allowed. */
  repeated: number;
  /** Reports that were repeated because the fault cut off their answer: allowed. */
  reportsRepeated: number;
  /** Sent again after the fault, and recognised. */
  resent: number;
  losses: number;
  duplicates: number;
  violations: number;
}

export function emptyTally(): Tally {
  return {
    ...{ kills: 0, killsAtStart: 0, shardKills: 0, sent: 0, acknowledged: 0 },
    ...{ large: 0, refused: 0 },
    ...{ deliveries: 0, retrieved: 0, deletions: 0, expired: 0, reports: 0, notifications: 0 },
    ...{ repeated: 0, reportsRepeated: 0, resent: 0 },
    ...{ losses: 0, duplicates: 0, violations: 0 },
  };
}

export class Ledger {
  readonly entries = new Map<number, Entry>();
  readonly tally: Tally;
  readonly violations: string[] = [];
  /** Which message a number of the store was given to, for good. */
  readonly #serials = new Map<string, number>();
  /** Serials as the last look has found them. */
  readonly serialOf = new Map<number, { readonly account: string; readonly serial: number }>();
  /** Deliveries and reports of this life of the server. */
  #delivered = new Set<number>();
  #reported = new Set<string>();
  #notified = new Map<string, number>();

  constructor(tally: Tally) {
    this.tally = tally;
  }

  send(entry: Pick<Entry, 'number' | 'user' | 'size' | 'expiresAt' | 'wantsReports'>): Entry {
    const made: Entry = {
      ...entry,
      ...{ acknowledged: false, taken: 0, confirmed: false, deletion: 'none', reports: new Map() },
    };
    this.entries.set(entry.number, made);
    this.tally.sent++;
    return made;
  }

  acknowledge(entry: Entry): void {
    if (entry.acknowledged) return;
    entry.acknowledged = true;
    this.tally.acknowledged++;
  }

  /** The server was killed: it may repeat what it has not been able to write down. */
  killed(): void {
    this.#delivered = new Set();
    this.#reported = new Set();
  }

  /** A message in the hands of its recipient, by a push or, with `kept`, by a retrieval. */
  deliver(number: number | undefined, user: string, kept = false): void {
    const entry = number === undefined ? undefined : this.entries.get(number);
    if (!entry) {
      this.#violate('damage', `${user} was given octets that nobody sent`);
      return;
    }
    if (entry.user !== user) this.#violate('violation', `${number} was given to ${user}`);
    if (entry.deletion === 'acknowledged') {
      this.#violate('violation', `${number} was delivered although it was deleted`);
    }
    if (kept) {
      this.tally.retrieved++;
      return;
    }
    if (entry.confirmed || this.#delivered.has(entry.number)) {
      this.#violate('duplicate', `${number} was delivered again to ${user}`);
    } else if (entry.taken > 0) this.tally.repeated++;
    this.#delivered.add(entry.number);
    entry.taken++;
    this.tally.deliveries++;
  }

  /** The server has ended a session in good order: it knows what was taken in it. */
  confirm(user: string): void {
    for (const number of this.#delivered) {
      const entry = this.entries.get(number)!;
      if (entry.user === user) entry.confirmed = true;
    }
  }

  /** Sessions are under way. */
  get hasUnconfirmed(): boolean {
    for (const number of this.#delivered) if (!this.entries.get(number)!.confirmed) return true;
    return false;
  }

  report(number: number, status: string, callId: string): void {
    const entry = this.entries.get(number);
    this.tally.reports++;
    if (!entry?.wantsReports) {
      this.#violate('violation', `a report of ${number}, which nobody asked for`);
      return;
    }
    const before = entry.reports.get(status);
    const key = `${number} ${status}`;
    // The transaction repeats over UDP: that is one report on the wire.
    if (before === callId && this.#reported.has(key)) return;
    if (this.#reported.has(key)) {
      this.#violate('duplicate', `the report ${status} of ${number} came twice`);
    } else if (before !== undefined) {
      this.tally.reportsRepeated++;
      if (before !== callId)
        this.#violate('violation', `a repeated report of ${number} is another`);
    }
    this.#reported.add(key);
    entry.reports.set(status, callId);
    if (status === 'stored') return;
    const isDue = entry.deletion !== 'none' || (entry.expiresAt ?? Infinity) <= Date.now();
    if (!isDue) this.#violate('violation', `${number} was reported ${status} for no reason`);
  }

  /** RFC 3265 3.2.4: the CSeq of notifications rises, whatever happens to the notifier. */
  notify(dialog: string, cseq: number, body: string): void {
    const before = this.#notified.get(dialog) ?? 0;
    const isRepeated = cseq === before && this.#bodies.get(dialog) === body;
    if (isRepeated) return;
    if (cseq <= before) this.#violate('violation', `NOTIFY ${cseq} behind ${before}`);
    this.#notified.set(dialog, cseq);
    this.#bodies.set(dialog, body);
    this.tally.notifications++;
  }

  readonly #bodies = new Map<string, string>();

  lastNotified(dialog: string): string | undefined {
    return this.#bodies.get(dialog);
  }

  /** Compares what is stored with what has to be, may be, and must not be. */
  check(look: Look): void {
    for (const { code, where, hint } of look.findings) {
      this.#violate('violation', `${code}: ${where}: ${hint}`);
    }
    this.serialOf.clear();
    for (const { account, serial, number } of look.stored) {
      const name = `${serial} of ${account}`;
      const entry = number === undefined ? undefined : this.entries.get(number);
      if (number === undefined || !entry || `${entry.user}@example.org` !== account) {
        this.#violate('damage', `${name} is not what was sent`);
        continue;
      }
      const owner = this.#serials.get(String(serial));
      if (owner !== undefined && owner !== number) {
        this.#violate('violation', `${name} was the number of ${owner} before`);
      }
      this.#serials.set(String(serial), number);
      if (this.serialOf.has(number)) this.#violate('duplicate', `${number} is stored twice`);
      this.serialOf.set(number, { account, serial });
      if (entry.confirmed) this.#violate('duplicate', `${number} is stored after its delivery`);
    }
    for (const entry of this.entries.values()) this.#expect(entry);
    this.#compareMailboxes(look);
  }

  #expect(entry: Entry): void {
    const { number, acknowledged, taken, deletion, expiresAt = Infinity } = entry;
    if (!acknowledged || taken > 0 || deletion !== 'none' || expiresAt <= Date.now()) return;
    if (this.serialOf.has(number)) return;
    this.#violate('loss', `${number} of ${entry.user} was acknowledged and is not there`);
    entry.acknowledged = false;
  }

  #compareMailboxes({ mailboxes, virtualUas }: Look): void {
    for (const account of new Set([...mailboxes.keys(), ...virtualUas.keys()])) {
      const stored = mailboxes.get(account) ?? [];
      const said: number[] = [];
      for (let at = 0; at < stored.length; at += 2) {
        for (let serial = stored[at]!; serial <= stored[at + 1]!; serial++) said.push(serial);
      }
      const there = [...(virtualUas.get(account) ?? [])].sort((one, other) => one - other);
      if (said.join() === there.join()) continue;
      this.#violate(
        'violation',
        `the mailbox of ${account} knows ${said.join()}, not ${there.join()}`,
      );
    }
  }

  /** At the end: nothing is owed any more. */
  settle(isEmpty: (user: string) => boolean): void {
    for (const entry of this.entries.values()) {
      const { number, acknowledged, taken, deletion, expiresAt = Infinity } = entry;
      if (!acknowledged) continue;
      const isGone = deletion !== 'none' || expiresAt <= Date.now();
      if (isGone && expiresAt <= Date.now()) this.tally.expired++;
      if (isEmpty(entry.user) && this.serialOf.has(number)) {
        this.#violate('violation', `${number} of ${entry.user} is there at the end`);
      }
      if (taken === 0 && !isGone && isEmpty(entry.user)) {
        this.#violate('loss', `${number} of ${entry.user} was never delivered`);
      }
      if (!entry.wantsReports) continue;
      if (!entry.reports.has('stored')) {
        this.#violate('violation', `nobody was told that ${number} is stored`);
      }
      if (taken === 0 && isGone && entry.reports.size < 2) {
        this.#violate('violation', `nobody was told that ${number} was not delivered`);
      }
    }
  }

  #violate(kind: 'loss' | 'duplicate' | 'damage' | 'violation', what: string): void {
    if (kind === 'loss' || kind === 'damage') this.tally.losses++;
    else if (kind === 'duplicate') this.tally.duplicates++;
    else this.tally.violations++;
    this.violations.push(`${kind}: ${what}`);
  }
}

/** A body as it was sent. */
export function octetsOf({ number, size }: Pick<Entry, 'number' | 'size'>): Buffer {
  return bodyOf(number, size);
}
