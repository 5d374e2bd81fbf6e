/** For whom a transaction, dialog or MSRP session was opened, as the string that adapters keep. */

import assert from 'node:assert';
import type { Address } from '../machines/events.js';
import type { AccountId, Owner } from '../ports.js';

/** An actor of an account; `outbox/<n>` is a durable effect on its way. */
export interface OwnerName {
  readonly account: AccountId;
  readonly address: Address | `outbox/${number}`;
  /** Of a virtual UA whose message is being sent: the actor that has the session. */
  readonly session?: Address;
}

// A number sign never stands unescaped in an AoR, nor a blank in an address.
export function formatOwner(name: OwnerName): Owner {
  const plain = `${name.account}#${name.address}`;
  return name.session === undefined ? plain : `${plain} ${name.session}`;
}

/** Owners come back only as they were given out, so anything else is a mistake of ours. */
export function parseOwner(owner: Owner): OwnerName {
  const hash = owner.lastIndexOf('#');
  assert(hash > 0, 'an owner names an account');
  const account = owner.slice(0, hash);
  const blank = owner.indexOf(' ', hash);
  if (blank < 0) return { account, address: owner.slice(hash + 1) as Address };
  return {
    account,
    address: owner.slice(hash + 1, blank) as Address,
    session: owner.slice(blank + 1) as Address,
  };
}

/** Whether the actor may have a dialog or an MSRP session. */
export function hasSession(address: Address): boolean {
  return address !== 'mailbox' && !/^(?:ua|subscription)\//.test(address);
}
