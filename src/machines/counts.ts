/** Counts of a mailbox by class, new and old (RFC 3842 3.5, D-43, D-44). */

import type { CountedFacts, Counts } from './facts.js';

const none = { new: 0, old: 0, newUrgent: 0, oldUrgent: 0 };

export const noMessages: Counts = { 'Pager-Message': none, 'Multimedia-Message': none };

type Age = 'new' | 'old';

/** The counts with one message more or less of that age; never below zero. */
export function recount(counts: Counts, message: CountedFacts, age: Age, by: 1 | -1): Counts {
  const former = counts[message.class];
  const urgentBy = message.urgent ? by : 0;
  const counted =
    age === 'new'
      ? { ...former, new: sum(former.new, by), newUrgent: sum(former.newUrgent, urgentBy) }
      : { ...former, old: sum(former.old, by), oldUrgent: sum(former.oldUrgent, urgentBy) };
  return message.class === 'Pager-Message'
    ? { ...counts, 'Pager-Message': counted }
    : { ...counts, 'Multimedia-Message': counted };
}

function sum(count: number, by: number): number {
  return Math.max(0, count + by);
}
