/** For whom a transaction, dialog or MSRP session was opened, as the string that adapters keep. */

import assert from 'node:assert';
import type { Address, Leg } from '../machines/events.js';
import type { AccountId, Owner } from '../ports.js';

/** An actor of an account; `outbox/<n>` is a durable effect on its way. */
export interface OwnerName {
  readonly account: AccountId;
  readonly address: Address | `outbox/${number}`;
  /** Of a virtual UA whose message is being sent: the actor that has the session. */
  readonly session?: Address;
  /** Of a bridge, which has a dialog with each of several parties. */
  readonly leg?: Leg;
}

// A number sign never stands unescaped in an AoR, nor a blank in an address.
export function formatOwner(name: OwnerName): Owner {
  const plain = `${name.account}#${name.address}`;
  const part = name.session ?? name.leg;
  return part === undefined ? plain : `${plain} ${part}`;
}

/** Owners come back only as they were given out, so anything else is a mistake of ours. */
export function parseOwner(owner: Owner): OwnerName {
  const hash = owner.lastIndexOf('#');
  assert(hash > 0, 'an owner names an account');
  const account = owner.slice(0, hash);
  const blank = owner.indexOf(' ', hash);
  if (blank < 0) return { account, address: owner.slice(hash + 1) as Address };
  const address = owner.slice(hash + 1, blank) as Address;
  const part = owner.slice(blank + 1);
  return address.startsWith('bridge/')
    ? { account, address, leg: part as Leg }
    : { account, address, session: part as Address };
}

/** Whether the actor may have a dialog or an MSRP session. */
export function hasSession(address: Address): boolean {
  return address !== 'mailbox' && !/^(?:ua|subscription)\//.test(address);
}
