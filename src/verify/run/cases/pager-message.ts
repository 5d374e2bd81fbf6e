/** Pager messages in the store: every octet, nothing of what is refused, and nothing for others. */

import type { SipResponse } from '../../../wire/sip/message.js';
import { counted, retrieve, submit, subscribe } from '../acts.js';
import { clause, Unable, type Case, type Clause } from '../case.js';
import { namedIn } from '../inspection.js';
import * as requests from '../requests.js';
import type { RunSettings } from '../settings.js';
import type { Stage } from '../stage.js';
import { unknownUri } from '../step-facts.js';

const [storing, refusing, others] = ['S1-STORE-PM', 'S4-603-PM', 'D-03'] as const;
const body: Clause = clause(storing, 'OMA IM 12.4.2.3', 'the body of a pager message, every octet');
const header: Clause = clause(
  storing,
  'OMA IM 12.4.2.3',
  'header fields of a pager message as they were',
);
const declined: Clause = clause(refusing, 'OMA IM 11.3.2.4', '603 to a MESSAGE that has expired');
const nothing: Clause = clause(
  refusing,
  'OMA IM 11.3.2.4',
  'nothing stays of a MESSAGE that was refused',
);
const kept: Clause = clause(others, 'OMA IM 11.3.1.1.2 step 1', 'no message for another user');
const alike: Clause = clause(
  others,
  'RFC 3261 26.1',
  'a message of another user answered as one that is not there',
);

/** Each octet once: whoever takes them for a text loses some. */
const octets = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const fields = [
  ['Subject', 'Größe 3 €: “poste restante”'],
  ['Call-Info', '<http://example.invalid/a%20b?c=d>;purpose=icon'],
  ['Content-Type', 'application/octet-stream'],
] as const;

export const pagerMessageCases: readonly Case[] = [
  {
    name: 'a pager message is stored whole',
    clauses: [body, header],
    async play(stage) {
      const plain = requests.submission(stage.cast, { do: 'submit', message: 0, kind: 'plain' });
      const headers = plain.headers.filter(([name]) => name !== 'Content-Type');
      await send(stage, { ...plain, headers: [...headers, ...fields], body: octets });
      const { owner } = await retrieve(stage, undefined, wantingSip);
      const sent = await stage.next('send', ({ session }) => session === owner);
      const { message, settle } = stage.must(sent, 'the message does not come');
      settle(200);
      stage.check(body, message.body.equals(octets), `${message.body.length} other octets`);
      if (message.form !== 'sip') {
        stage.untried(header, `it is sent as ${message.form}, without its header fields`);
        return;
      }
      const lost = fields.filter(([name, value]) => !has(message.headers, name, value));
      stage.check(header, lost.length === 0, `another ${lost.map(([name]) => name).join(', ')}`);
    },
  },
  {
    name: 'a pager message that is refused',
    clauses: [declined, nothing],
    async play(stage) {
      stage.step('submit zero message 1');
      const asked = { do: 'submit', message: 0, kind: 'zero' } as const;
      const request = requests.submission(stage.cast, asked);
      const { status, reason } = await stage.ask(request, { voice: 'sender' });
      stage.check(declined, status === 603, `${status} ${reason}`.trim());
      if (status < 300) throw new Unable('it has taken the message');
      await submit(stage, { message: 1, kind: 'plain' });
      // The older one would come first.
      const { owner } = await retrieve(stage);
      const ofThis = ({ session }: { readonly session: string }) => session === owner;
      const sent = stage.must(await stage.next('send', ofThis), 'the message does not come');
      sent.settle(200);
      const more = await stage.next('send', ofThis, stage.settings.quietMs);
      const isOther = sent.message.payload.includes(requests.textOf(stage.cast, 1));
      stage.check(nothing, isOther && more === undefined, 'it is delivered');
    },
  },
  {
    name: 'messages of another user',
    clauses: [kept, alike],
    lacks: ({ identity }: RunSettings) =>
      identity === 'from' ? 'it needs P-Asserted-Identity, for two users' : undefined,
    async play(stage) {
      const subscription = await subscribe(stage);
      await submit(stage, { message: 0, kind: 'plain' });
      const notify = await counted(stage, subscription, 1);
      const [id] = notify ? namedIn(notify) : [];
      if (id === undefined) throw new Unable('the server has not told the Message-ID');
      const foreign = await byAnother(stage, 'retrieve a message of somebody else', id);
      stage.check(kept, foreign.status >= 300, told(foreign));
      const unknown = await byAnother(stage, 'retrieve a message that nobody has', unknownUri);
      stage.check(alike, foreign.status === unknown.status, `${told(foreign)}, ${told(unknown)}`);
    },
  },
];

async function send(stage: Stage, outgoing: requests.Outgoing): Promise<void> {
  stage.step('submit every octet');
  const response = await stage.ask(outgoing, { voice: 'sender' });
  if (response.status >= 300) throw new Unable(`MESSAGE was answered ${told(response)}`);
}

/** A fragment need not have every header field (RFC 3420). */
function wantingSip(plain: requests.Outgoing): requests.Outgoing {
  const sdp = String(plain.body).replace(/^(a=accept-types:).*$/m, '$1message/sip message/cpim');
  return { ...plain, body: Buffer.from(sdp) };
}

/** A user of the same domain, with an account as far as the tested one has. */
function byAnother(stage: Stage, what: string, uri: string): Promise<SipResponse> {
  stage.step(what);
  const { cast, endpoint } = stage;
  const owner = stage.name('retrieval');
  const other = { ...cast, user: cast.user.replace(/^(sips?:)/i, '$1another-') };
  const outgoing = requests.retrieval(other, [], endpoint.media.reserve(owner), [uri]);
  stage.onLeave(() => {
    endpoint.media.release(owner);
    return endpoint.bye(owner);
  });
  return stage.ask(outgoing, { owner, voice: 'nobody' });
}

function has(
  headers: readonly (readonly [string, string])[],
  wanted: string,
  value: string,
): boolean {
  return headers.some(
    ([name, given]) => name.toLowerCase() === wanted.toLowerCase() && given.trim() === value,
  );
}

function told({ status, reason }: SipResponse): string {
  return `${status} ${reason}`.trim();
}
