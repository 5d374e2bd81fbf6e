/** What the actors count; read by metrics, never by a decision. */

export const counterNames = [
  'actors.accounts',
  'actors.queue',
  'actors.messages.stored',
  'actors.messages.gone',
  'actors.loads',
  'actors.passivations',
  'actors.turns',
  'actors.reruns',
  'actors.commits',
  'actors.commits.failed',
  'actors.accounts.stopped',
  'actors.deadLetters',
  'actors.duplicates',
  'actors.forwards',
  'actors.forwards.deferred',
  'actors.bridges',
  'actors.bridges.deferred',
  'actors.overloads',
  'actors.wakes',
  'actors.outbox.done',
  'actors.outbox.retries',
  'actors.outbox.dead',
  'actors.reports.oversized',
  'actors.declined',
  'actors.policy.refused',
  'actors.policy.unavailable',
  'actors.requests',
  'actors.requests.malformed',
  'actors.cancelled',
  'actors.recordings',
  'actors.recordings.aborted',
  'actors.authentication.challenges',
  'actors.authentication.proven',
  'actors.authentication.wrong',
  'actors.authentication.blocked',
] as const;

export type CounterName = (typeof counterNames)[number];

export type Counters = Record<CounterName, number>;

export function createCounters(): Counters {
  return Object.fromEntries(counterNames.map((name) => [name, 0])) as Counters;
}
