/** What a virtual UA says when its message is deleted (S1 12.4.2.8, D-29, D-30). */

import type { VirtualUaEvent } from './events.js';
import { counted, effect, report } from './virtual-ua-context.js';

// ------------------------------------------------------------------------------- deletion

const deleteMessage = effect('message.delete', ({ serial, receivedAt, message }) => ({
  type: 'message.delete',
  serial,
  receivedAt,
  digest: message.digest,
}));

/** D-30: owed only when nothing was delivered and the sender asked for it. */
const reportUndelivered = effect('report.send', (context, event: VirtualUaEvent) => {
  if (context.read || context.doomed === 'delivered' || event.type === 'store') return [];
  if (event.type === 'delete' && event.silent) return [];
  const byUser = context.doomed === 'user' || event.type === 'delete';
  const disposition = byUser ? event.limits.reportOnUserDelete : 'failed';
  return disposition === 'none' ? [] : report(context, disposition);
});

const deleteHistory = effect('history.delete', ({ serial }) => ({
  type: 'history.delete',
  serial,
}));

const cancelExpiry = effect('timer.cancel', ({ timerAt }) =>
  timerAt === undefined
    ? []
    : [{ type: 'timer.cancel', name: 'expiry', at: timerAt, durable: true }],
);

const tellGone = effect('tell', ({ serial, message }, { at, limits }: VirtualUaEvent) => ({
  type: 'tell',
  to: 'mailbox',
  event: { type: 'message.gone', at, serial, message: counted(message), limits },
}));

const stop = effect('stop', () => ({ type: 'stop' }));

/** S1 12.4.2.8 and D-29: storage, report, metadata; then what only we know of. */
export const erase = [
  deleteMessage,
  reportUndelivered,
  deleteHistory,
  cancelExpiry,
  tellGone,
  stop,
] as const;
