/** Metadata of stored messages, and settings, as documents of an XDMS (OMA IM XDM 5.2). */

import { writeSettings } from '../../../wire/xml/settings.js';
import { parseHistoryList, type History } from '../../../wire/xml/history.js';
import { pause } from '../at-most.js';
import { acceptPush, counted, register, submit, subscribe } from '../acts.js';
import { clause, Unable, type Case } from '../case.js';
import { namedIn } from '../inspection.js';
import { deletion } from '../requests.js';
import type { RunSettings } from '../settings.js';
import type { Stage } from '../stage.js';
import { Xdms, type XdmsAnswer } from '../xdms.js';

const [added, deleted] = ['S1-META-ADD', 'S1-META-DEL'] as const;
const where = 'OMA IM 12.4.2.4';
const oneMore = clause(added, where, 'a history element for the message that was stored');
const referred = clause(added, where, 'history-reference is the Message-ID');
const told = clause(added, 'OMA IM XDM 5.2', 'from, to and size of the message');
const others = clause(added, where, 'the other elements as they were');
const tagged = clause(added, 'RFC 4825 7.11', 'another ETag for another document');
const oneLess = clause(deleted, where, 'no history element of a message that was deleted');
const left = clause(deleted, where, 'the elements of other messages');
const settingsItem = 'S8-XCAP';
const kept = clause(settingsItem, 'RFC 4825 8.2', 'settings that were put are there');
const heeded = clause(settingsItem, 'OMA IM 11.3.1', 'no push while offline-delivery is off');
const heededOn = clause(settingsItem, 'OMA IM 11.3.1', 'a push when it is on again');

const lists = { auid: 'org.openmobilealliance.deferred-list', name: 'deferred-list' } as const;
const settings = {
  ...{ auid: 'org.openmobilealliance.im-service-settings', name: 'im-settings' },
} as const;
/** A store tells its XDMS of a message when it has taken it. */
const pollMs = 50;

const lacks = ({ xcapRoot }: RunSettings): string | undefined =>
  xcapRoot === undefined ? 'it needs --xcap-root' : undefined;

export const metadataCases: readonly Case[] = [
  {
    name: 'metadata of stored messages',
    clauses: [oneMore, referred, told, others, tagged, oneLess, left],
    lacks,
    async play(stage) {
      const xdms = new Xdms(stage, stage.settings.xcapRoot!);
      const subscription = await subscribe(stage);
      await submit(stage, { message: 0, kind: 'plain' });
      const first = await counted(stage, subscription, 1);
      const before = await listed(stage, xdms, 1);
      stage.check(oneMore, before.histories.length === 1, `${before.histories.length} elements`);
      const [history] = before.histories;
      if (history === undefined) throw new Unable('there are no metadata');
      const [id] = first ? namedIn(first) : [];
      if (id === undefined) stage.unknown(referred, 'the server has not told the Message-ID');
      else stage.check(referred, history.reference === id, history.reference);
      const { user, sender } = stage.cast;
      const { from, to } = history.pager;
      const ok = from.includes(sender) && to.includes(user) && history.size > 0;
      stage.check(told, ok, `from ${from} to ${to}, ${history.size} octets`);
      await submit(stage, { message: 1, kind: 'plain' });
      const after = await listed(stage, xdms, 2);
      const same = after.histories.find(({ reference }) => reference === history.reference);
      stage.check(others, JSON.stringify(same) === JSON.stringify(history), 'another element');
      const isOther = after.etag !== undefined && after.etag !== before.etag;
      stage.check(tagged, isOther, after.etag ?? 'no ETag');
      stage.step('delete message 1');
      const { status } = await stage.ask(deletion(stage.cast, history.reference));
      if (status >= 300) throw new Unable(`messages are not deleted there by REFER (${status})`);
      const rest = await listed(stage, xdms, 1);
      const references = rest.histories.map(({ reference }) => reference);
      stage.check(oneLess, !references.includes(history.reference), references.join(', '));
      stage.check(left, references.length === 1, `${references.length} elements`);
    },
  },
  {
    name: 'settings in the XDMS',
    clauses: [kept, heeded, heededOn],
    lacks,
    async play(stage) {
      const xdms = new Xdms(stage, stage.settings.xcapRoot!);
      const path = xdms.document(settings.auid, settings.name);
      await put(stage, xdms, path, false);
      stage.onLeave(() => xdms.ask({ method: 'DELETE', path }));
      const { status, body } = await xdms.ask({ method: 'GET', path });
      stage.check(kept, status === 200 && /active="false"/.test(String(body)), String(status));
      await submit(stage, { message: 0, kind: 'plain' });
      await register(stage);
      const early = await stage.next('invite', undefined, stage.settings.quietMs);
      stage.check(heeded, early === undefined, 'INVITE');
      if (early !== undefined) throw new Unable('it has pushed already');
      await put(stage, xdms, path, true);
      await register(stage);
      const invite = await stage.next('invite');
      stage.check(heededOn, invite !== undefined, 'no INVITE');
      if (invite !== undefined) acceptPush(stage, invite);
    },
  },
];

async function put(stage: Stage, xdms: Xdms, path: string, active: boolean): Promise<void> {
  stage.step(`put settings, offline-delivery ${active ? 'on' : 'off'}`);
  const body = writeSettings({ offlineDelivery: active });
  const type = stage.settings.settingsType;
  const { status } = await xdms.ask({ method: 'PUT', path, type, body });
  // That there is such a document is a decision of ours (STANDARDS 1.3).
  if (status >= 300) throw new Unable(`settings are not put there like this (${status})`);
}

/** The document, when it has so many elements, or as it is in the end. */
async function listed(
  stage: Stage,
  xdms: Xdms,
  wanted: number,
): Promise<{ readonly histories: readonly History[]; readonly etag: string | undefined }> {
  stage.step('get the metadata');
  const until = performance.now() + stage.patience;
  for (;;) {
    const path = xdms.document(lists.auid, lists.name);
    const answer = await xdms.ask({ method: 'GET', path });
    const histories = historiesIn(answer);
    const isDone = histories.length === wanted || performance.now() >= until;
    if (isDone) return { histories, etag: answer.etag };
    await pause(stage.within(pollMs));
  }
}

/** Before the first message there may be no document (D-82). */
function historiesIn({ status, body }: XdmsAnswer): readonly History[] {
  if (status === 200) return parseHistoryList(body);
  if (status === 404) return [];
  throw new Unable(`the XDMS answers ${status} to the metadata`);
}
