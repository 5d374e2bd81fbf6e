/** What may be there when all is done: the counts as they are, and nothing open. */

import type { MessageWaiting } from '../../client/im-client.js';
import type { StorePort } from '../../ports.js';
import { messageAtRest } from '../ledger.js';
import type { SimulatedNetwork } from './network.js';
import { wireDomain } from './wire-server.js';
import type { WireUser } from './wire-user.js';

/** Tables of the production endpoints that have to be empty once nobody is there. */
const mustBeEmpty = [
  'serverTransactions',
  'clientTransactions',
  'dialogs',
  'pendingInvites',
  'connections',
  'timers',
  'actors.queue',
  'actors.sessions',
  'actors.uploads',
  'actors.bridged',
  'actors.registrations',
];

/** Of the server: two for SIP, one for MSRP. */
const ownSockets = { datagrams: 1, servers: 2, streams: 0 };

export function judgeRest(
  counters: Readonly<Record<string, number>>,
  open: SimulatedNetwork['open'],
): string | undefined {
  for (const name of mustBeEmpty) {
    if (counters[name] !== 0) return `${name} is ${String(counters[name])} when all is done`;
  }
  const { datagrams, servers, streams } = open;
  for (const [name, count] of Object.entries({ datagrams, servers, streams })) {
    const own = ownSockets[name as keyof typeof ownSockets];
    if (count !== own) return `${count} ${name} are open when all is done, and not ${own}`;
  }
  return undefined;
}

/** Serials of the messages of a user at rest, by whether they were read. */
export interface StoredForUser {
  readonly fresh: readonly number[];
  readonly old: readonly number[];
}

export async function storedForUsers(
  store: StorePort,
  users: readonly Pick<WireUser, 'name'>[],
): Promise<StoredForUser[]> {
  const all: StoredForUser[] = [];
  for (const { name } of users) {
    const rows = await store.scan(`${name}@${wireDomain}`, { kind: 'ua', limit: 10_000 });
    const messages = rows.map(({ value }) => messageAtRest(value));
    const serialsOf = (wanted: boolean): number[] =>
      messages.filter(({ read }) => read === wanted).map(({ serial }) => serial);
    all.push({ fresh: serialsOf(false), old: serialsOf(true) });
  }
  return all;
}

/** What the store had before everybody asked, and after: in between messages may expire. */
export interface Between {
  readonly users: readonly Pick<WireUser, 'name'>[];
  readonly before: readonly StoredForUser[];
  readonly after: readonly StoredForUser[];
}

/** Message waiting as it was told is what the store has; whoever is there has nothing new there. */
export function judgeWaiting(
  { users, before, after }: Between,
  told: readonly (MessageWaiting | undefined)[],
): string | undefined {
  for (const [at, { name }] of users.entries()) {
    const classes = told[at]?.classes ?? [];
    const fresh = classes.reduce((sum, one) => sum + one.new, 0);
    const old = classes.reduce((sum, one) => sum + one.old, 0);
    const [first, last] = [before[at]!, after[at]!];
    const isSo =
      isWithin(fresh, last.fresh.length, first.fresh.length) &&
      isWithin(old, last.old.length, first.old.length);
    if (!isSo) {
      const stored = [first, last].map((one) => `${one.fresh.length}/${one.old.length}`);
      const had = [...new Set(stored)].join(', then ');
      return `${name} is told ${fresh}/${old}, and the store has ${had}`;
    }
    if (fresh > 0) return `${name} is registered, and ${fresh} messages are not pushed`;
  }
  return undefined;
}

/** Metadata name the messages that the store has, and no others. */
export function judgeMetadata(
  { users, before, after }: Between,
  listed: readonly (readonly number[] | undefined)[],
): string | undefined {
  for (const [at, { name }] of users.entries()) {
    const named = new Set(listed[at]);
    const [first, last] = [before[at]!, after[at]!].map(({ fresh, old }) => [...fresh, ...old]);
    const lacking = last!.filter((serial) => !named.has(serial));
    const had = new Set(first);
    const foreign = [...named].filter((serial) => !had.has(serial));
    if (lacking.length > 0) return `${name}: metadata lack ${lacking.join()}`;
    if (foreign.length > 0) return `${name}: metadata name ${foreign.join()}, not in the store`;
  }
  return undefined;
}

function isWithin(count: number, least: number, most: number): boolean {
  return count >= least && count <= most;
}
