/** What a commit means for the messages: kept beside the account, and judged. */

import type { AccountEvent } from '../machines/events.js';
import type { AtRest } from '../machines/index.js';
import type { MessageFacts } from '../machines/facts.js';
import type { ForwardContext } from '../machines/forward.js';
import type { VirtualUaContext } from '../machines/virtual-ua-context.js';
import type { Change } from '../ports.js';
import type { OutboxRow } from '../actors/outbox.js';
import { intersection } from '../machines/serial-set.js';
import type { Scene } from './scene.js';

/** A message at rest, as its row says. */
export interface MessageAtRest {
  readonly serial: number;
  readonly message: MessageFacts;
  readonly expiresAt: number | undefined;
  readonly read: boolean;
}

export function messageAtRest(value: unknown): MessageAtRest {
  return (value as AtRest).context as unknown as MessageAtRest;
}

/** Takes note of a commit before it is done, while the rows before it can still be seen. */
export function commitLedger(scene: Scene, change: Change, event: AccountEvent): void {
  noteConfirmation(scene, event);
  noteLateAnswer(scene, event);
  if (event.type === 'deletion.requested') {
    const known = [...scene.rows.values()].flatMap(({ key }) => (key[0] === 'ua' ? [key[1]] : []));
    for (const serial of known) {
      if (intersection(event.serials, [serial, serial]).length > 0)
        scene.ledger.deleted.add(serial);
    }
  }
  // Whoever asks for that wants it delivered once more.
  if (event.type === 'requeue.requested') scene.ledger.confirmed.delete(event.serial);
  const reported = noteReports(scene, change);
  for (const key of change.deletes) {
    if (key[0] !== 'ua') continue;
    const row = scene.rows.get(`ua ${key[1]}`);
    if (row) judgeEnd(scene, messageAtRest(row.value), reported);
  }
}

/** D-33: the client has the whole message, and the session that says so has lent it. */
function noteConfirmation(scene: Scene, event: AccountEvent): void {
  const { ledger, actors, now } = scene;
  for (const [address, { snapshot }] of actors ?? []) {
    if (!address.startsWith('ua/')) continue;
    const { leases, serial } = snapshot.context as VirtualUaContext;
    for (const { session, graceAt } of leases) {
      const isOver = graceAt !== undefined && graceAt <= now;
      const confirmed = confirms(event, session, graceAt !== undefined, isOver);
      if (confirmed && scene.addressed === address) ledger.confirmed.add(serial);
    }
  }
}

/** U11: a message that was kept while the client did not answer, and has taken it after all. */
function noteLateAnswer({ actors, addressed, ledger }: Scene, event: AccountEvent): void {
  if (event.type !== 'forward.answered' || event.status >= 300) return;
  const { serial } = (actors?.get(addressed)?.snapshot.context ?? {}) as Partial<ForwardContext>;
  if (serial !== undefined) ledger.confirmed.add(serial);
}

function confirms(
  event: AccountEvent,
  session: string,
  isAwaited: boolean,
  isOver: boolean,
): boolean {
  switch (event.type) {
    case 'msrp.reported':
      return event.session === session && event.status === 200;
    case 'msrp.sent':
      if (event.session !== session || event.status !== 200) return false;
      return !isAwaited && event.limits.reportGraceMs === 0;
    case 'timer.expired':
      return isOver;
    default:
      return false;
  }
}

/** The reports that are decided here; none of them is ever decided again. */
function noteReports(scene: Scene, change: Change): ReadonlySet<number> {
  const failed = new Set<number>();
  for (const { key, value } of change.puts) {
    if (key[0] !== 'outbox') continue;
    const { effect } = value as OutboxRow;
    if (effect.type !== 'report.send') continue;
    const { serial, disposition } = effect;
    if (disposition !== 'stored') failed.add(serial);
    const name = `${serial} ${disposition === 'stored' ? 'stored' : 'undelivered'}`;
    const times = (scene.ledger.reports.get(name) ?? 0) + 1;
    scene.ledger.reports.set(name, times);
    if (times > 1) {
      scene.breach('report', `the report ${disposition} of ua/${serial} is decided ${times} times`);
    }
  }
  return failed;
}

/** A message leaves the store delivered, expired or deleted, with the report that is owed then. */
function judgeEnd(scene: Scene, message: MessageAtRest, reported: ReadonlySet<number>): void {
  const { ledger, now } = scene;
  const { serial, expiresAt, read } = message;
  ledger.gone.add(message.message.digest);
  const isDelivered = ledger.confirmed.has(serial) || read;
  const isExpired = expiresAt !== undefined && expiresAt <= now;
  const isDeleted = ledger.deleted.has(serial);
  if (!isDelivered && !isExpired && !isDeleted) {
    scene.breach('end', `ua/${serial} leaves the store, neither delivered nor expired nor deleted`);
  }
  const wanted = message.message.imdn?.negativeDelivery === true;
  const owed = wanted && !isDelivered;
  if (owed && !reported.has(serial)) {
    scene.breach('report', `ua/${serial} is gone undelivered without the report that is owed`);
  }
  if (!owed && reported.has(serial)) {
    scene.breach('report', `ua/${serial} is reported undelivered although nobody is owed that`);
  }
}
