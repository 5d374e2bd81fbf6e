/** What a request to the server is to the account of the served user: its event, by its answer. */

import type { Address } from '../../machines/events.js';
import type { SipMessage } from '../../wire/sip/message.js';
import { uriOf } from '../../wire/sip/name-addr.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import type { Exchange } from './exchange.js';
import type { Input, TrackedAccount } from './tracked-account.js';

export type Alternative = Omit<Input, 'number'> | undefined;
export type Alternatives = (account: TrackedAccount) => readonly Alternative[];

/** A request that is an event of an account. */
export interface Inbound {
  readonly user: string;
  readonly alternatives: Alternatives;
}

/** The status with which a request was answered finally; undefined: that was not seen. */
export function statusOf({ final }: Exchange): number | undefined {
  return final?.message.status;
}

/** Who asks: as whoever is trusted asserts it, else as From says. */
export function askerOf(message: SipMessage): string | undefined {
  for (const value of message.list('p-asserted-identity')) {
    const user = canonicalAor(uriOf(value) ?? '');
    if (user?.includes('@')) return user;
  }
  return canonicalAor(uriOf(message.header('from')) ?? '');
}

export function eventFor(to: Address, event: Input['event']): Alternative {
  return { to, event };
}

/** Where the answer was not seen, it may also have been something that no account decides. */
export function orNothing(seen: boolean, alternatives: readonly Alternative[]): Alternative[] {
  return seen ? [...alternatives] : [...alternatives, undefined];
}
