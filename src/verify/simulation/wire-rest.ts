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

/** Message waiting as it was told is what the store has; whoever is there has nothing new there. */
export async function judgeWaiting(
  store: StorePort,
  users: readonly WireUser[],
  told: readonly (MessageWaiting | undefined)[],
): Promise<string | undefined> {
  for (const [at, user] of users.entries()) {
    const rows = await store.scan(`${user.name}@${wireDomain}`, { kind: 'ua', limit: 10_000 });
    const read = rows.filter(({ value }) => messageAtRest(value).read).length;
    const stored = `${rows.length - read}/${read}`;
    const classes = told[at]?.classes ?? [];
    const fresh = classes.reduce((sum, one) => sum + one.new, 0);
    const old = classes.reduce((sum, one) => sum + one.old, 0);
    if (`${fresh}/${old}` !== stored) {
      return `${user.name} is told ${fresh}/${old}, and the store has ${stored}`;
    }
    if (fresh > 0) return `${user.name} is registered, and ${fresh} messages are not pushed`;
  }
  return undefined;
}

/** Metadata name the messages that the store has, and no others. */
export async function judgeMetadata(
  store: StorePort,
  users: readonly WireUser[],
  listed: readonly (readonly number[] | undefined)[],
): Promise<string | undefined> {
  for (const [at, user] of users.entries()) {
    const rows = await store.scan(`${user.name}@${wireDomain}`, { kind: 'ua', limit: 10_000 });
    const stored = rows.map(({ key }) => key[1]).join();
    const named = listed[at]?.toSorted((one, other) => one - other).join();
    if (named !== stored) {
      return `${user.name}: metadata name ${String(named)}, and the store has ${stored}`;
    }
  }
  return undefined;
}
