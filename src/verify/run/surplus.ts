/** What came and was not owed: free, or forbidden by an item. */

import type { Finding } from './inspection.js';
import type { ItemId } from './items.js';
import type { Judge } from './judge.js';
import { describeSeen, type Seen } from './seen.js';
import type { Step } from './step.js';

export interface Surroundings {
  readonly path: readonly Step[];
  /** So many messages were submitted. */
  readonly messages: number;
  /** The tester has ended or refused a session: what a server does about that is its own. */
  readonly hasEnded: boolean;
}

/** Notes what was forbidden, and that a registration without IM has led to nothing. */
export function judgeSurplus(judge: Judge, surroundings: Surroundings): void {
  const { path } = surroundings;
  const last = path.length - 1;
  let pushed = false;
  for (const seen of judge.surplus()) {
    const finding = forbidden(judge, surroundings, seen);
    if (finding === undefined) continue;
    pushed ||= seen.kind === 'invite' || seen.kind === 'message';
    judge.note(last, [finding]);
  }
  const quiet = silence(path);
  if (quiet && !pushed) judge.note(last, [quiet]);
}

/** A path that is about nothing being pushed. */
function silence(path: readonly Step[]): Finding | undefined {
  const item = availabilityItem(path);
  if (item === undefined || !path.some((step) => step.do === 'submit')) return undefined;
  return { item, ...noPush[item] };
}

const noPush = {
  'IMSpec-DMT-S-003': {
    clause: 'OMA IM 11.3.2.3',
    expected: 'no push to a user without a client for IM',
  },
  'IMSpec-DMT-S-008': {
    clause: 'OMA IM 11.3.1',
    expected: 'no push while offline-delivery is off',
  },
} as const;

/** Which item forbids a push in this path. */
function availabilityItem(path: readonly Step[]): keyof typeof noPush | undefined {
  const registers = path.filter((step) => step.do === 'register');
  if (registers.some(({ client }) => client === 'im')) {
    const isOff = path.some((step) => step.do === 'publish' && !step.deliver);
    return isOff ? 'IMSpec-DMT-S-008' : undefined;
  }
  return 'IMSpec-DMT-S-003';
}

function forbidden(judge: Judge, surroundings: Surroundings, seen: Seen): Finding | undefined {
  const { path, messages, hasEnded } = surroundings;
  const text = describeSeen(seen);
  switch (seen.kind) {
    case 'invite': {
      if (hasEnded) return undefined;
      const item = availabilityItem(path);
      if (item !== undefined) return { item, ...noPush[item], seen: text };
      return extra('IMSpec-DMT-S-004', 'one push for a registration', text);
    }
    case 'send': {
      const message = judge.messageIn(seen.message.payload, messages);
      const item = judge.isPush(seen.session) ? 'IMSpec-DMT-S-004' : 'IMSpec-DMT-S-012';
      if (message === undefined) return extra(item, 'messages as they were submitted', text);
      if (judge.wasSent(seen.session, message)) {
        return extra(item, `message ${message + 1} once in a session`, 'once more');
      }
      return extra('IMSpec-DMT-S-009', `message ${message + 1} not in this session`, text);
    }
    case 'notify':
      return judge.isOurs(seen)
        ? extra('IMSpec-DMT-S-005', 'NOTIFY with the counts as they are', text)
        : undefined;
    case 'bye':
      return hasEnded
        ? undefined
        : extra(
            judge.isPush(seen.session) ? 'IMSpec-DMT-S-004' : 'IMSpec-DMT-S-012',
            'the session lasts until everything was sent',
            text,
          );
    case 'message': {
      const message = judge.messageIn(seen.request.body, messages);
      if (message === undefined) return undefined;
      const item = availabilityItem(path);
      if (item !== undefined) return { item, ...noPush[item], seen: text };
      return extra('IMSpec-DMT-S-004', `message ${message + 1} over MSRP`, text);
    }
    case 'lost':
      return hasEnded || judge.wasEnded(seen.session)
        ? undefined
        : extra('IMSpec-DMT-S-011', 'a connection that lasts until BYE', text);
  }
}

function extra(item: ItemId, expected: string, seen: string): Finding {
  return { item, clause: 'not owed', expected, seen };
}
