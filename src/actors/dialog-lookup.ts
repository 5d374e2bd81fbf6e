/** Which subscription of an account has a dialog. */

import type { Address, DialogFacts } from '../machines/events.js';
import type { Actor } from './turn.js';

/** Subscriptions are few, and all of them are in memory. */
export function subscriptionOf(
  actors: ReadonlyMap<Address, Actor>,
  dialog: DialogFacts,
): Address | undefined {
  for (const [address, { snapshot }] of actors) {
    if (!address.startsWith('subscription/') && !address.startsWith('conference/')) continue;
    const known = (snapshot.context as { readonly dialog?: DialogFacts }).dialog;
    if (known?.callId !== dialog.callId || known.localTag !== dialog.localTag) continue;
    if (known.remoteTag === dialog.remoteTag) return address;
  }
  return undefined;
}
