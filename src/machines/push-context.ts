/** What a push keeps in mind of its session. */

import { declarations, type On as EventOn } from './declaration.js';
import type { DeliveryContext } from './delivery.js';
import type { FirstMessage } from './effects.js';
import type { PushEvent, TargetFacts } from './events.js';

export interface PushContext extends DeliveryContext {
  readonly push: number;
  /** The client that is invited, and those after it. */
  readonly targets: readonly TargetFacts[];
  /** The message that a session for one sender begins with. */
  readonly first: FirstMessage | undefined;
  /** Messages of others that this session was for in vain. */
  readonly others: number;
  /** The path and role of the answer: an INVITE inside the dialog may not move the session. */
  readonly path: readonly string[];
  readonly active: boolean;
  /** The client has bound the MSRP session before its 200 arrived. */
  readonly bound: boolean;
  readonly outcome: 'done' | 'failed';
}

export type On<Type extends PushEvent['type']> = EventOn<PushEvent, Type>;

export const { ask, change, effect } = declarations<PushContext, PushEvent>(copyOf);

export function copyOf(context: PushContext): PushContext {
  return {
    session: context.session,
    push: context.push,
    targets: context.targets,
    media: context.media,
    todo: context.todo,
    invited: context.invited,
    delivered: context.delivered,
    failed: context.failed,
    sender: context.sender,
    first: context.first,
    others: context.others,
    waitAt: context.waitAt,
    path: context.path,
    active: context.active,
    bound: context.bound,
    outcome: context.outcome,
  };
}
