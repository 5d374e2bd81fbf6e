/** Subscriptions to message waiting over their life: granted, fetched, run out (RFC 6665, 3842). */

import { parseDigits } from '../../../wire/sip/number.js';
import { accepted, inside, isOf, subscribe, watch } from '../acts.js';
import { clause, Unable, type Case, type Clause } from '../case.js';
import * as requests from '../requests.js';
import type { Stage } from '../stage.js';

const item = 'IMSpec-DMT-S-002';
const notLonger: Clause = clause(
  item,
  'RFC 6665 4.2.1.1',
  'Expires of the 200 no longer than what was asked for',
);
const refreshed: Clause = clause(
  item,
  'RFC 3842 3.11, RFC 6665 4.2.1.2',
  'NOTIFY active at the refresh',
);
const fetched: Clause = clause(
  item,
  'RFC 6665 4.4.3',
  'NOTIFY terminated at a subscription of 0 s',
);
const unsubscribed: Clause = clause(
  item,
  'RFC 6665 4.2.1.4',
  'NOTIFY terminated at the unsubscription',
);
const expired: Clause = clause(
  item,
  'RFC 6665 4.2.2',
  'NOTIFY terminated when the subscription has run out',
);
const asked = 600;
/** A notifier tells of the end when it comes to it. */
const marginMs = 2000;

export const messageWaitingCases: readonly Case[] = [
  {
    name: 'the life of a subscription',
    clauses: [notLonger, refreshed, unsubscribed, fetched],
    async play(stage) {
      const subscription = await subscribe(stage);
      const granted = parseDigits(subscription.response.header('Expires'));
      stage.check(notLonger, granted !== undefined && granted <= asked, String(granted));
      for (const [what, seconds, clause] of [
        ['refresh', 300, refreshed],
        ['unsubscribe', 0, unsubscribed],
      ] as const) {
        stage.step(what);
        const outgoing = inside(subscription, requests.refresh(stage.cast, seconds));
        const { status } = await stage.ask(outgoing);
        if (status >= 300) throw new Unable(`${what} was answered ${status}`);
        const wanted = seconds === 0 ? 'terminated' : 'active';
        const notify = await stage.next('notify', ({ request }) => {
          return isOf(request, subscription) && stateOf(request) === wanted;
        });
        stage.check(clause, notify !== undefined, `no NOTIFY ${wanted}`);
      }
      const fetch = await watch(stage, 'subscribe for 0 s', asking(stage, 0));
      const notify = await stage.next('notify', ({ request }) => isOf(request, fetch));
      const state = notify && stateOf(notify.request);
      stage.check(fetched, state === 'terminated', state ?? 'no NOTIFY');
    },
  },
  {
    name: 'a subscription runs out',
    clauses: [expired],
    async play(stage) {
      const least = Math.floor(stage.settings.patienceMs / 1000);
      stage.step(`ask for ${least} s`);
      const callId = stage.name('watch');
      const response = await stage.ask({ ...asking(stage, least), callId });
      if (response.status === 423) {
        const min = response.header('Min-Expires') ?? 'unknown';
        stage.untried(expired, `it grants ${min} s at least: --patience waits so long`);
        return;
      }
      accepted(stage, { do: 'subscribe' }, response, 'SUBSCRIBE');
      const granted = parseDigits(response.header('Expires')) ?? least;
      const withinMs = granted * 1000 + marginMs + stage.settings.timeoutMs;
      const notify = await stage.next(
        'notify',
        ({ request }) => isOf(request, { callId }) && stateOf(request) === 'terminated',
        withinMs,
      );
      stage.check(expired, notify !== undefined, `nothing within ${withinMs} ms`);
    },
  },
];

function asking({ cast }: Stage, seconds: number): requests.Outgoing {
  const plain = requests.subscription(cast, { do: 'subscribe' });
  const others = plain.headers.filter(([name]) => name !== 'Expires');
  return { ...plain, headers: [...others, ['Expires', String(seconds)]] };
}

function stateOf(request: { header(name: string): string | undefined }): string | undefined {
  return /^\s*(\w+)/.exec(request.header('Subscription-State') ?? '')?.[1]?.toLowerCase();
}
