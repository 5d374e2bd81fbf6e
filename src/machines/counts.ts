/** Counts of a mailbox by class, new and old (RFC 3842 3.5, D-43, D-44). */

import type { CountedFacts, Counts } from './facts.js';

const none = { new: 0, old: 0, newUrgent: 0, oldUrgent: 0 };

export const noMessages: Counts = { 'Pager-Message': none, 'Multimedia-Message': none };

type Age = 'new' | 'old';

/** The counts with one message more or less of that age; never below zero. */
export function recount(counts: Counts, message: CountedFacts, age: Age, by: 1 | -1): Counts {
  const former = counts[message.class];
  const urgentAge = age === 'new' ? 'newUrgent' : 'oldUrgent';
  const counted = {
    ...former,
    [age]: Math.max(0, former[age] + by),
    ...(message.urgent && { [urgentAge]: Math.max(0, former[urgentAge] + by) }),
  };
  return { ...counts, [message.class]: counted };
}
