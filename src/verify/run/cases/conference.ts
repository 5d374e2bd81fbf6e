/** The retrieval as a conference: its focus, and what it tells of the messages (RFC 4579, 4575). */

import type { SipRequest } from '../../../wire/sip/message.js';
import { uriOf } from '../../../wire/sip/name-addr.js';
import { conferenceInfoType, parseConferenceInfo } from '../../../wire/xml/conference-info.js';
import type { ConferenceInfo } from '../../../wire/xml/conference-info.js';
import {
  counted,
  inside,
  isOf,
  retrieve,
  submit,
  subscribe,
  watch,
  type Receiving,
  type Subscription,
} from '../acts.js';
import { clause, Unable, type Case, type Clause } from '../case.js';
import { namedIn } from '../inspection.js';
import { identity, imTag, outside, type Outgoing } from '../requests.js';
import type { Stage } from '../stage.js';
import { unknownUri } from '../step-facts.js';

const [list, all] = ['S3-FOCUS-LIST', 'S3-FOCUS-ALL'] as const;
const isFocus = (item: Clause['item']): Clause =>
  clause(item, 'RFC 4579 4.2', 'Contact of the 200 to INVITE with isfocus');
const state = (item: Clause['item']): Clause =>
  clause(item, 'RFC 4575 4.5', 'the first NOTIFY with the full state of this conference');
const members = (item: Clause['item'], expected: string): Clause => ({
  ...{ item, clause: 'OMA IM 11.3.1.1.2 step 2', expected },
});
const onlyListed = members(list, 'the messages of the list, and no others');
const everyOne = members(all, 'every message');
const failed: Clause = clause(list, 'RFC 5366 3.1', 'a URI that names no message as failed');
const departed: Clause = clause(all, 'RFC 4575 5.7.2', 'a message that was taken as departed');
const ended: Clause = clause(
  all,
  'RFC 4575 3.5, RFC 6665 4.2.2',
  'the end of the conference: terminated',
);
const formed: Clause = clause(
  'S1-MSGID-FORM',
  'OMA IM 12.4.2.3',
  'a Message-ID of the form string@hostname',
);
const unique: Clause = clause(
  'S1-MSGID-FORM',
  'OMA IM 12.4.2.3',
  'another Message-ID for every message',
);

export const conferenceCases: readonly Case[] = [
  {
    name: 'the focus of a list',
    clauses: [formed, unique, isFocus(list), state(list), onlyListed, failed],
    async play(stage) {
      const [wanted, other] = await store(stage);
      const retrieval = await retrieve(stage, [wanted, unknownUri]);
      focus(stage, isFocus(list), retrieval);
      const { info } = await conference(stage, state(list), retrieval);
      const entities = info.users.map(({ entity }) => entity);
      const ok = entities.includes(wanted) && !entities.includes(other);
      stage.check(onlyListed, ok, entities.join(', '));
      const unknown = info.users.find(({ entity }) => entity === unknownUri);
      // A conference that leaves it out tells no lie about it.
      if (unknown === undefined) stage.untried(failed, 'it is left out');
      else stage.check(failed, unknown.disconnection === 'failed', unknown.status);
    },
  },
  {
    name: 'the focus of everything',
    clauses: [isFocus(all), state(all), everyOne, departed, ended],
    async play(stage) {
      const ids = await store(stage);
      const retrieval = await retrieve(stage);
      focus(stage, isFocus(all), retrieval);
      const { info, watching } = await conference(stage, state(all), retrieval);
      const entities = new Set(info.users.map(({ entity }) => entity));
      const ok = ids.every((id) => entities.has(id));
      stage.check(everyOne, ok, [...entities].join(', '));
      stage.step('take');
      const gone = new Set<string>();
      let terminated = false;
      const { owner } = retrieval;
      for (const _id of ids) {
        const send = await stage.next('send', ({ session }) => session === owner);
        stage.must(send, 'the messages do not come').settle(200);
      }
      while (!terminated) {
        const notify = await stage.next('notify', ({ request }) => isOf(request, watching));
        if (notify === undefined) break;
        terminated = /^\s*terminated/i.test(notify.request.header('Subscription-State') ?? '');
        for (const user of infoOf(notify.request)?.users ?? []) {
          if (user.disconnection === 'departed') gone.add(user.entity);
        }
      }
      stage.check(
        departed,
        ids.every((id) => gone.has(id)),
        `${gone.size} of ${ids.length}`,
      );
      stage.check(ended, terminated, 'no NOTIFY terminated');
    },
  },
];

/** Two messages, and their Message-IDs as message waiting tells them. */
async function store(stage: Stage): Promise<readonly [string, string]> {
  const subscription = await subscribe(stage);
  const ids: string[] = [];
  for (const message of [0, 1]) {
    await submit(stage, { message, kind: 'plain' });
    const notify = await counted(stage, subscription, message + 1);
    const [id] = notify ? namedIn(notify) : [];
    if (id === undefined) throw new Unable('the server has not told the Message-ID');
    ids.push(id);
  }
  const [first, second] = ids as [string, string];
  stage.check(
    formed,
    ids.every((id) => /^sips?:[^@\s]+@[^@\s;]+$/i.test(id)),
    first,
  );
  stage.check(unique, first !== second, first);
  if (first === second) throw new Unable('messages cannot be told apart');
  return [first, second];
}

function focus(stage: Stage, clause: Clause, { response }: Receiving): void {
  const contact = response.header('Contact') ?? '';
  stage.check(clause, /;\s*isfocus\b/i.test(contact), contact);
}

/** Subscribes to the conference; its first state. Nobody has to have the package (RFC 4579 3.1). */
async function conference(
  stage: Stage,
  clause: Clause,
  { response }: Receiving,
): Promise<{ readonly info: ConferenceInfo; readonly watching: Subscription }> {
  const uri = stage.must(uriOf(response.list('Contact')[0]), 'the focus has no Contact');
  const watching = await watch(stage, 'subscribe to the conference', subscription(stage, uri));
  stage.onLeave(() => stage.ask(inside(watching, fields(stage, 0))));
  const notify = await stage.next('notify', ({ request }) => isOf(request, watching));
  const info = notify && infoOf(notify.request);
  const ok = info?.state === 'full' && isSame(info.entity, uri);
  stage.check(clause, ok, info ? `${info.state} of ${info.entity}` : 'no conference-info');
  return { info: stage.must(info, 'the conference tells nothing'), watching };
}

function subscription(stage: Stage, uri: string): Outgoing {
  const { cast } = stage;
  const { user } = cast;
  return { ...outside(cast, uri, user, uri), method: 'SUBSCRIBE', headers: fields(stage, 600) };
}

function fields({ cast }: Stage, seconds: number) {
  return [
    ...identity(cast, cast.user),
    ['Contact', `<${cast.contact}>;${imTag}`] as const,
    ['Event', 'conference'] as const,
    ['Accept', conferenceInfoType] as const,
    ['Expires', String(seconds)] as const,
  ];
}

function infoOf(notify: SipRequest): ConferenceInfo | undefined {
  return notify.body.length === 0 ? undefined : parseConferenceInfo(notify.body);
}

/** Parameters of a Contact are no part of the name of a conference. */
function isSame(one: string, other: string): boolean {
  const bare = (uri: string): string => uri.replace(/[;?].*$/, '');
  return bare(one) === bare(other);
}
