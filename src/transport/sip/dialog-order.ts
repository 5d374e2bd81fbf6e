/** Which requests of the peer a dialog takes when (RFC 3261 12.2.2, 14.2, RFC 3311 5.2). */

import type { Random, SipAnswer } from '../../ports.js';
import { parseCseq } from '../../wire/sip/cseq.js';
import type { SipRequest } from '../../wire/sip/message.js';
import type { InviteDialog } from './dialogs.js';
import { retryAfterSeconds } from './glare.js';
import type { ServerTransaction } from './server-transactions.js';

type Answer = Pick<SipAnswer, 'status' | 'headers'>;

/** The answer to a request that comes at the wrong time; others are pending in the dialog. */
export function refusalInOrder(
  dialog: InviteDialog,
  transaction: ServerTransaction,
  request: SipRequest,
  random: Random,
): Answer | undefined {
  const { number } = parseCseq(request.header('CSeq') ?? '');
  if (number < dialog.value.remoteCseq) return { status: 500, headers: [] };
  dialog.value = { ...dialog.value, remoteCseq: number };
  transaction.dialog = dialog;
  const { method } = request;
  if (method !== 'INVITE' && method !== 'UPDATE') return undefined;
  const offers = method === 'INVITE' || request.body.length > 0;
  // In an early dialog our offer is not answered yet.
  const isOffering = dialog.refresh?.method === 'INVITE' || dialog.state === 'early';
  if (offers && isOffering) return { status: 491, headers: [] };
  const isPending = method === 'INVITE' ? dialog.pendingInvite : dialog.pendingUpdate;
  if (isPending || (offers && (dialog.pendingInvite ?? dialog.pendingUpdate))) {
    return { status: 500, headers: [['Retry-After', retryAfterSeconds(random)]] };
  }
  if (method === 'INVITE') dialog.pendingInvite = transaction;
  else dialog.pendingUpdate = transaction;
  return undefined;
}

/** A final answer leaves room for the next request. */
export function settleInOrder(dialog: InviteDialog, transaction: ServerTransaction): void {
  if (dialog.pendingInvite === transaction) dialog.pendingInvite = undefined;
  if (dialog.pendingUpdate === transaction) dialog.pendingUpdate = undefined;
}
