/**
 * A state of the bounded account as text that is the same for states that behave the same: times
 * count from now, what is past is past, and numbers of sessions are called by their order.
 */

import type { Address } from '../machines/events.js';
import type { AtRest } from '../machines/index.js';
import type { OutboxRow } from '../actors/outbox.js';
import type { AccountState } from './bounded-account.js';

/** Fields that hold a time. */
const times = new Set([
  ...['at', 'retryAt', 'registrationAt', 'waitAt', 'expiresAt', 'timerAt', 'graceAt'],
  ...['throttleAt', 'deletionAt', 'publicationAt', 'removalAt'],
]);

/** Fields that tell no behaviours apart: numbers that only have to be fresh, and what never varies. */
const silent = new Set([
  ...['receivedAt', 'failures', 'number', 'callId', 'cseq', 'dialog', 'path', 'address'],
  ...['messageAccount', 'media', 'route', 'octets', 'version'],
]);

/** Fields that hold numbers of sessions, or addresses of them. */
const numbers = new Set([
  ...['push', 'focus', 'subscription', 'foci', 'subscriptions', 'watchers', 'conference'],
  ...['forward', 'bridge', 'recording', 'forwards', 'bridges', 'recordings', 'inside'],
]);

/** The canonical text of a state. */
export function canonical(state: AccountState): string {
  return new Writer(state).write();
}

class Writer {
  readonly #state: AccountState;
  readonly #names: ReadonlyMap<number, string>;
  #text = '';

  constructor(state: AccountState) {
    this.#state = state;
    this.#names = namesOf(state);
  }

  write(): string {
    const { memory } = this.#state;
    this.#rows();
    this.#text += '|M';
    if (memory === undefined) this.#text += '-';
    else {
      const timers = [...memory.timers.values()].map(({ of, name, at }) => {
        return `${this.#address(of)} ${name}@${this.#time(at)}`;
      });
      this.#list(timers.sort());
      for (const address of [...memory.actors.keys()].sort()) {
        const { value, context } = memory.actors.get(address)!.snapshot;
        this.#text += `;${this.#address(address)}`;
        this.#value(value, '');
        this.#value(context, '');
      }
    }
    this.#peers();
    this.#ledger();
    return this.#text;
  }

  #rows(): void {
    const { rows, contents } = this.#state.store;
    const lines: string[] = [];
    const outbox: [number, OutboxRow][] = [];
    for (const { key, value } of rows.values()) {
      switch (key[0]) {
        case 'timer': {
          const [of = '', name = ''] = key[2].split(' ');
          lines.push(`T${this.#address(of as Address)} ${name}@${this.#time(key[1])}`);
          break;
        }
        case 'outbox':
          outbox.push([key[1], value as OutboxRow]);
          break;
        case 'seen':
          lines.push(`S${key[2]}`);
          break;
        default: {
          const { state, context } = value as AtRest;
          const address = key[0] === 'ua' ? `ua/${key[1]}` : this.#address(key[1] as Address);
          lines.push(`${address}${state}${this.#textOf(context)}`);
        }
      }
    }
    this.#list(lines.sort());
    outbox.sort(([one], [other]) => one - other);
    this.#list(outbox.map(([, { effect }]) => effectText(effect)));
    this.#list([...contents].sort().map(String));
  }

  #peers(): void {
    const { peers } = this.#state;
    this.#text += '|P';
    for (const known of [peers.submissions, peers.offers, peers.imports]) this.#list(known);
    this.#list([...peers.taken].sort());
    const held = [...peers.held].map(([of, { request, at }]) => {
      return `${this.#address(of)} ${request} ${this.#state.now - at}`;
    });
    this.#list(held.sort());
    const legs = [...peers.legs].map(([key, state]) => {
      const [of, leg] = key.split(' ') as [Address, string];
      return `${this.#address(of)} ${leg} ${state}`;
    });
    this.#list(legs.sort());
    for (const known of [peers.invites, peers.dialogs, peers.unacknowledged, peers.byes]) {
      this.#list([...known].map((of) => this.#address(of)).sort());
    }
    for (const known of [peers.media, peers.notifies, peers.heard]) {
      this.#list([...known].map(([of, what]) => this.#address(of) + what).sort());
    }
    const sends = peers.sends.map(({ serial, session, answered }) => {
      return `${serial} ${this.#address(session)} ${answered}`;
    });
    this.#list(sends.sort());
    this.#list([...peers.document].sort().map(String));
    this.#list(Object.values(peers.left).map(String));
  }

  /** How many reports there were is judged at every commit, and counts only while there may be more. */
  #ledger(): void {
    const { confirmed, deleted, refused, reports, gone, blocks } = this.#state.ledger;
    const stored = new Set<string>();
    for (const { key } of this.#state.store.rows.values()) {
      if (key[0] === 'ua') stored.add(String(key[1]));
    }
    const open = (serials: ReadonlySet<number>): string[] =>
      [...serials].map(String).filter((serial) => stored.has(serial));
    this.#text += `|L${blocks}`;
    this.#list(open(confirmed).sort());
    this.#list(open(deleted).sort());
    this.#list(open(refused).sort());
    this.#list([...reports.keys()].filter((name) => stored.has(name.split(' ')[0]!)).sort());
    this.#list([...gone].sort());
  }

  #list(items: readonly string[]): void {
    this.#text += `[${items.join(',')}]`;
  }

  #time(at: number): number {
    return Math.max(0, at - this.#state.now);
  }

  #address(address: Address): string {
    const slash = address.indexOf('/');
    if (slash < 0 || address.startsWith('ua/')) return address;
    const number = Number(address.slice(slash + 1));
    return `${address.slice(0, slash)}/${this.#names.get(number) ?? '?'}`;
  }

  #textOf(value: unknown): string {
    const before = this.#text;
    this.#text = '';
    this.#value(value, '');
    const text = this.#text;
    this.#text = before;
    return text;
  }

  #value(value: unknown, field: string): void {
    if (typeof value === 'number') {
      if (times.has(field)) this.#text += String(this.#time(value));
      else if (numbers.has(field)) this.#text += this.#names.get(value) ?? '?';
      else this.#text += String(value);
    } else if (typeof value === 'string') {
      this.#text += field === 'session' ? this.#address(value as Address) : value;
    } else if (Array.isArray(value)) {
      this.#text += '[';
      for (const item of value) {
        this.#value(item, field);
        this.#text += ',';
      }
      this.#text += ']';
    } else if (typeof value === 'object' && value !== null) {
      this.#fields(value as Record<string, unknown>);
    } else this.#text += String(value);
  }

  #fields(record: Record<string, unknown>): void {
    this.#text += '{';
    for (const name of Object.keys(record)) {
      const value = record[name];
      if (silent.has(name) || value === undefined) continue;
      this.#text += `${name}:`;
      // All of a message follows from which one it is.
      if (name === 'message') this.#text += (value as { readonly digest: string }).digest;
      else this.#value(value, name);
      this.#text += ';';
    }
    this.#text += '}';
  }
}

function effectText(effect: OutboxRow['effect']): string {
  if (effect.type === 'report.send') return `report ${effect.serial} ${effect.disposition}`;
  return 'serial' in effect ? `${effect.type} ${effect.serial}` : effect.type;
}

/** Numbers come from one counter; which they are makes no difference, only their order may. */
function namesOf({ memory, store, peers }: AccountState): ReadonlyMap<number, string> {
  const found = new Set<number>();
  const note = (address: string): void => {
    const slash = address.indexOf('/');
    if (slash > 0 && !address.startsWith('ua/')) found.add(Number(address.slice(slash + 1)));
  };
  for (const address of memory?.actors.keys() ?? []) note(address);
  for (const { key } of store.rows.values()) {
    if (key[0] === 'actor') note(key[1]);
    else if (key[0] === 'timer') note(key[2].split(' ')[0]!);
  }
  const known = [peers.invites, peers.dialogs, peers.unacknowledged, peers.byes];
  for (const set of known) for (const of of set) note(of);
  for (const map of [peers.media, peers.notifies, peers.heard, peers.held])
    for (const of of map.keys()) note(of);
  for (const key of peers.legs.keys()) note(key.split(' ')[0]!);
  const names = new Map<number, string>();
  [...found].sort((one, other) => one - other).forEach((number, i) => names.set(number, `#${i}`));
  return names;
}
