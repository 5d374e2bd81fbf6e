/** The limits that hold for one account: the settings, and what provisioning has given it. */

import type { Limits } from '../machines/events.js';
import type { AccountId, ProvisionedAccount, ProvisioningPort } from '../ports.js';

/** By record: a record that was changed is another one. */
const merged = new WeakMap<ProvisionedAccount, { readonly base: Limits; readonly own: Limits }>();

/** `base` itself for an account without limits of its own. */
export function limitsOf(
  provisioning: ProvisioningPort | undefined,
  account: AccountId,
  base: Limits,
): Limits {
  const record = provisioning?.find(account);
  if (!record || isEmpty(record)) return base;
  const known = merged.get(record);
  if (known?.base === base) return known.own;
  const own = merge(record, base);
  merged.set(record, { base, own });
  return own;
}

function isEmpty({ limits }: ProvisionedAccount): boolean {
  for (const name in limits) if (Object.hasOwn(limits, name)) return false;
  return true;
}

function merge({ limits: own }: ProvisionedAccount, base: Limits): Limits {
  const { quota, expiry, push } = base;
  const max = own.expiryMax ?? expiry.max;
  return {
    ...base,
    quota: { messages: own.messages ?? quota.messages, octets: own.octets ?? quota.octets },
    // D-21: the default never exceeds the maximum.
    expiry: { ...expiry, max, default: Math.min(own.expiryDefault ?? expiry.default, max) },
    push: { ...push, default: own.push ?? push.default },
  };
}
