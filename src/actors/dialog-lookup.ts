/** Which subscription of an account has a dialog. */

import type { Address, DialogFacts } from '../machines/events.js';
import type { Actor } from './turn.js';

/** Subscriptions are few, and all of them are in memory. */
export function subscriptionOf(
  actors: ReadonlyMap<Address, Actor>,
  dialog: DialogFacts,
): Address | undefined {
  for (const [address, { atRest }] of actors) {
    if (!address.startsWith('subscription/')) continue;
    const known = atRest?.context['dialog'] as DialogFacts | undefined;
    if (known?.callId !== dialog.callId || known.localTag !== dialog.localTag) continue;
    if (known.remoteTag === dialog.remoteTag) return address;
  }
  return undefined;
}
