/** What message waiting counts (D-43, D-44). */

import { describe, expect, test } from 'vitest';
import { noMessages, recount } from '../../src/machines/counts.js';

const none = { new: 0, old: 0, newUrgent: 0, oldUrgent: 0 };
const pager = { class: 'Pager-Message', urgent: false, size: 1 } as const;
const large = { class: 'Multimedia-Message', urgent: false, size: 1 } as const;

describe('counts of a mailbox', () => {
  test('D-43: nothing is there at first', () => {
    expect(noMessages).toEqual({ 'Pager-Message': none, 'Multimedia-Message': none });
  });

  test.each([
    [pager, 'new', { new: 3 }],
    [pager, 'old', { old: 3 }],
    [{ ...pager, urgent: true }, 'new', { new: 3, newUrgent: 3 }],
    [{ ...large, urgent: true }, 'old', { old: 3, oldUrgent: 3 }],
    [large, 'new', { new: 3 }],
  ] as const)('D-43, D-44: %j, %s, is counted in its class alone', (message, age, expected) => {
    const add = (counts: typeof noMessages) => recount(counts, message, age, 1);
    const three = add(add(add(noMessages)));
    expect(three).toEqual({ ...noMessages, [message.class]: { ...none, ...expected } });
    const two = recount(three, message, age, -1);
    expect(two).toEqual(add(add(noMessages)));
  });

  test('D-44: one that goes takes nothing from others', () => {
    const urgent = { ...pager, urgent: true };
    const both = recount(recount(noMessages, urgent, 'new', 1), pager, 'old', 1);
    expect(recount(both, pager, 'old', -1)).toEqual(recount(noMessages, urgent, 'new', 1));
    expect(recount(both, urgent, 'new', -1)).toEqual(recount(noMessages, pager, 'old', 1));
  });

  test('D-43: no count falls below nothing', () => {
    expect(recount(noMessages, { ...pager, urgent: true }, 'new', -1)).toEqual(noMessages);
    expect(recount(noMessages, { ...large, urgent: true }, 'old', -1)).toEqual(noMessages);
  });
});
