/** What an operator may ask of a mailbox in some state: pause, requeue, import. */

import type { Limits, MailboxEvent } from '../../src/machines/events.js';
import type { MailboxContext } from '../../src/machines/mailbox-context.js';
import { large, noPush, pager } from './facts.js';

export function operationEvents(
  { block, stored, old }: MailboxContext,
  at: number,
  limits: Limits,
): readonly MailboxEvent[] {
  const asked = { at, transaction: 't', limits } as const;
  const imported = {
    ...asked,
    type: 'message.imported',
    message: pager,
    imported: { message: pager, receivedAt: at - 1000, expiresAt: at + 60_000, read: false },
    duplicate: false,
    block: { from: block.end + 1, to: block.end + 2 },
  } as const;
  const big = { ...large, size: 1_000_000 };
  return [
    { ...asked, type: 'push.requested' },
    { ...asked, type: 'push.requested', limits: noPush },
    { ...asked, type: 'delivery.paused' },
    { ...asked, type: 'delivery.resumed' },
    { ...asked, type: 'requeue.requested', serial: old[0] ?? stored[0] ?? 9999 },
    { ...asked, type: 'requeue.requested', serial: 9999 },
    { at, limits, type: 'message.unread', serial: old[0] ?? stored[0] ?? 9999, message: pager },
    imported,
    { ...imported, duplicate: true },
    { ...imported, message: big, imported: { ...imported.imported, message: big } },
    {
      ...imported,
      imported: {
        message: pager,
        receivedAt: at - 1000,
        read: true,
        bye: [['Reason', 'SIP;cause=200']],
      },
    },
    { ...asked, type: 'account.removed', moved: true },
  ];
}
