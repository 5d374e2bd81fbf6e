/** What happened to one served user: an input of the account, or an effect that it had. */

import type { Address } from '../../machines/events.js';
import type { Observed } from '../capture/observed.js';
import type { Input, TrackedAccount } from './tracked-account.js';
import type { UserFlow } from './user-flow.js';

export interface Deed {
  readonly observed: Observed;
  play(flow: UserFlow): void;
}

/** Where the deeds of a user are written down. */
export type Write = (user: string, deed: Deed) => void;

/** An event for whoever of the account has that dialog; nobody may have it any more. */
export function tellOwner(
  observed: Observed,
  callId: string,
  make: (owner: Address, account: TrackedAccount) => Input['event'] | undefined,
): Deed {
  return {
    observed,
    play: (flow) =>
      flow.feed(observed, (account) => {
        const to = account.notes.dialogs.get(callId);
        const event = to === undefined ? undefined : make(to, account);
        return [to === undefined || event === undefined ? undefined : { to, event }];
      }),
  };
}
