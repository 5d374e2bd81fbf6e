/** Mutations of what was said over XCAP in a real trace. */

import {
  answerTo,
  drop,
  edited,
  fresh,
  has,
  find,
  inserted,
  invite,
  line,
  said,
} from './mutate.js';
import type { Mutation } from './mutate.js';

type Of = Omit<Mutation, 'name'>;
type Find = Parameters<typeof find>[1];
const of = (play: string, clause: string, mutate: Mutation['mutate'], fromStart = false): Of => ({
  ...{ of: play, clause, mutate },
  ...(fromStart && { fromStart: true as const }),
});

const list = has(/^HTTP\/1.1 200/, /<history-list/);
const ofOne = has(/^HTTP\/1.1 200/, /\r\n<history /);
const absent = line(/^HTTP\/1.1 404/);
const history = /<history history-reference=.*?<\/history>/;

/** That one alone: what HTTP says may be the same octets twice. */
function editOne(fits: Find, change: (text: string) => string, place = 0): Mutation['mutate'] {
  return (trace) => {
    const old = find(trace, fits, place);
    const messages = trace.map((one) => (one === old ? edited(one, change) : one));
    return { messages, at: old.number };
  };
}

const mutations: Record<string, Of> = {
  'leave a message out of the list': of(
    ...(['history', 'S1-META-ADD', editOne(list, said(history, ''), 1)] as const),
  ),
  'tell of nothing that is stored': of('history', 'S1-META-ADD', (trace) => {
    const empty = /<history history-reference=.*<\/history>/;
    return editOne(list, said(empty, ''), 1)(trace);
  }),
  'list another message in its place': of(
    ...(['history', 'S1-META-ADD', editOne(list, said('>two<', '>something else<'), 1)] as const),
  ),
  'say that somebody else has sent it': of(
    'history',
    'S1-META-ADD',
    editOne(list, said(/<from>[^<]*/, '<from>sip:mallory@example.org'), 1),
  ),
  'give it more octets than it has': of(
    ...(['history', 'S1-META-ADD', editOne(list, said(/<size>\d+/, '<size>99999'), 1)] as const),
  ),
  'list what was deleted': of('history', 'S1-META-DEL', (trace) => {
    const [deleted = ''] = history.exec(String(find(trace, list, 1).bytes)) ?? [];
    return editOne(list, said(/(<history-list[^>]*>)/, `$1${deleted}`), 2)(trace);
  }),
  'list what was delivered': of('history', 'S1-META-DEL', (trace) => {
    const [delivered = ''] = history.exec(String(find(trace, list, 2).bytes)) ?? [];
    return editOne(list, said(/(<history-list[^>]*>)/, `$1${delivered}`), 3)(trace);
  }),
  'list what was never stored': of(
    'history',
    'S1-META-DEL',
    (trace) => {
      const [stored = ''] = history.exec(String(find(trace, list, 1).bytes)) ?? [];
      const other = stored.replace(/reference="sip:\d+/, 'reference="sip:999');
      return editOne(list, said(/(<history-list[^>]*>)/, `$1${other}`), 0)(trace);
    },
    true,
  ),
  'list a message twice': of('history', 'XCAP-03', (trace) => {
    return editOne(list, (text) => text.replace(history, (stored) => stored + stored), 1)(trace);
  }),
  'keep the ETag of another document': of('history', 'XCAP-06', (trace) => {
    const [etag = ''] = /etag: [^\r]*/i.exec(String(find(trace, list, 1).bytes)) ?? [];
    return editOne(list, said(/etag: [^\r]*/i, etag), 2)(trace);
  }),
  'tell another history of one reference': of(
    ...(['history', 'S1-META-ADD', editOne(ofOne, said('>two<', '>else<'))] as const),
  ),
  'delete nothing of what is there': of('history', 'D-31', (trace) => {
    const asked = find(trace, line(/^DELETE /));
    const answer = trace.find(({ number, protocol }) => {
      return protocol === 'http' && number > asked.number;
    })!;
    const fits = (one: typeof answer): boolean => one === answer;
    return editOne(fits, said('HTTP/1.1 200 OK', 'HTTP/1.1 404 Not Found'))(trace);
  }),
  'delete what is not there': of(
    ...(['history', 'D-31', editOne(absent, said(/404 [^\r]*/, '200 OK'))] as const),
  ),
  'take metadata from a user': of(
    'history',
    'S1-META-ADD',
    editOne(line(/^HTTP\/1.1 403/), said(/403 [^\r]*/, '200 OK')),
  ),
  'push to who does not want it': of('xcapSettings', 'IMSpec-DMT-S-008', (trace) => {
    const registered = find(trace, answerTo(200, 'REGISTER'));
    return inserted(trace, find(trace, invite), registered, fresh);
  }),
  'do not push to who wants it again': of(
    'xcapSettings',
    'IMSpec-DMT-S-004',
    drop(invite, line(/^REGISTER/), [0, 1]),
    true,
  ),
  'tell of other settings': of(
    'xcapSettings',
    'D-41',
    editOne(has(/^HTTP\/1.1 200/, /active="false"/), said('active="false"', 'active="true"')),
  ),
};

export const xcapMutations: readonly Mutation[] = Object.entries(mutations).map(
  ([name, mutation]) => ({ name, ...mutation }),
);
