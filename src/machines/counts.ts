/** Counts of a mailbox by class, new and old (RFC 3842 3.5, D-43, D-44). */

import type { CountedFacts, Counts } from './facts.js';

const none = { new: 0, old: 0, newUrgent: 0, oldUrgent: 0 };

export const noMessages: Counts = { 'Pager-Message': none, 'Multimedia-Message': none };

type Age = 'new' | 'old';

/** The counts with one message more or less of that age; never below zero. */
export function recount(counts: Counts, message: CountedFacts, age: Age, by: 1 | -1): Counts {
  const former = counts[message.class];
  const urgentBy = message.urgent ? by : 0;
  const isNew = age === 'new';
  // Written out: a literal behind a spread is defined field by field, at several times the cost.
  const counted = {
    new: isNew ? sum(former.new, by) : former.new,
    old: isNew ? former.old : sum(former.old, by),
    newUrgent: isNew ? sum(former.newUrgent, urgentBy) : former.newUrgent,
    oldUrgent: isNew ? former.oldUrgent : sum(former.oldUrgent, urgentBy),
  };
  const isPager = message.class === 'Pager-Message';
  return {
    'Pager-Message': isPager ? counted : counts['Pager-Message'],
    'Multimedia-Message': isPager ? counts['Multimedia-Message'] : counted,
  };
}

function sum(count: number, by: number): number {
  return Math.max(0, count + by);
}
