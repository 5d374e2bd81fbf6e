/** Why paths on the wire do not take a transition. */

interface Reason {
  readonly why: string;
  readonly pattern: RegExp;
}

/** The first one that fits counts. */
const reasons: readonly Reason[] = [
  {
    why: 'an operator or a store does it, not a user',
    pattern:
      /account\.|delivery\.|requeue|message\.imported|message\.unread|settings\.received|push\.requested| taken | unread/,
  },
  { why: 'the process ends', pattern: /session\.lost/ },
  {
    why: 'large messages: not in a path, but in cases',
    pattern: /invitation|recorded|recording|deferred/,
  },
  {
    why: 'a message is passed on at once, which a server need not do',
    pattern: /forward|bridge|idle message|available message/,
  },
  {
    why: 'a message comes while it is pushed, which a server may do otherwise',
    pattern: /message\.added|pushing message|ua\.other|introduce|introduced|choosing/,
  },
  { why: 'the conference package: not in a path, but in cases', pattern: /conference\./ },
  { why: 'a server has no reason to say that', pattern: /reinvite|push superseded/ },
  {
    why: 'it takes longer than a tester waits',
    pattern: /timer\.expired|ack\.missing|notify\.failed|invite\.failed/,
  },
];

/** What is left are events that arrive in another order, and requests beyond limits of a server. */
export function whyLeft(transition: string): string {
  const found = reasons.find(({ pattern }) => pattern.test(transition));
  return found?.why ?? 'an order of events, or a limit, that a tester cannot bring about';
}
