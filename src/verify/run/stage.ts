/** Where a case is played: requests, what comes, and what was found. */

import type { SipResponse } from '../../wire/sip/message.js';
import { atMost, deadlinePassed, pending, type Deadline } from './at-most.js';
import { Unable, type Clause } from './case.js';
import type { Cast } from './cast.js';
import type { TesterEndpoint, Voice } from './endpoint.js';
import type { Check } from './judge.js';
import type { Outgoing } from './requests.js';
import type { Seen } from './seen.js';
import type { RunSettings } from './settings.js';

/** What nobody has waited for yet. */
const keptMax = 200;

type Kind = Seen['kind'];
type SeenOf<K extends Kind> = Extract<Seen, { readonly kind: K }>;

interface Waiting {
  fits(seen: Seen): boolean;
  readonly take: (seen: Seen) => void;
}

export class Stage {
  readonly cast: Cast;
  readonly endpoint: TesterEndpoint;
  readonly checks: Check[] = [];
  /** What was done, in words. */
  readonly steps: string[] = [];
  /** Whether the target has said anything. */
  heard = false;
  readonly #deadline: Deadline;
  readonly #kept: Seen[] = [];
  readonly #waiting = new Set<Waiting>();
  readonly #farewells: (() => Promise<unknown>)[] = [];
  #next = 1;

  constructor(cast: Cast, endpoint: TesterEndpoint, deadline: Deadline) {
    this.cast = cast;
    this.endpoint = endpoint;
    this.#deadline = deadline;
    endpoint.onSeen = (seen) => this.#see(seen);
  }

  get settings(): RunSettings {
    return this.cast.settings;
  }

  /** ms for a thing that is owed. */
  get patience(): number {
    return this.#deadline.within(this.settings.timeoutMs);
  }

  within(ms: number): number {
    return this.#deadline.within(ms);
  }

  /** Another name for a session, a Call-ID or a request. */
  name(kind: string): string {
    return `${kind}-${this.#next++}-${this.cast.mark}`;
  }

  step(text: string): void {
    if (this.#deadline.isOver) throw new Unable(deadlinePassed);
    this.steps.push(text);
  }

  /** The final response. Throws Unable when there is none. */
  async ask(
    outgoing: Outgoing,
    { voice, owner = this.name('request') }: { voice?: Voice; owner?: string } = {},
  ): Promise<SipResponse> {
    const heard = await atMost(this.endpoint.request({ ...outgoing, owner }, voice), this.patience);
    if (heard?.kind === 'response') {
      this.heard = true;
      return heard.response;
    }
    const cause = heard?.cause === 'transport' ? 'the target cannot be reached' : 'no answer';
    throw new Unable(this.#deadline.isOver ? deadlinePassed : `${outgoing.method}: ${cause}`);
  }

  /** What comes next of that kind; undefined when it does not come in time. */
  async next<K extends Kind>(
    kind: K,
    fits: (seen: SeenOf<K>) => boolean = () => true,
    withinMs = this.settings.timeoutMs,
  ): Promise<SeenOf<K> | undefined> {
    const isIt = (seen: Seen): boolean => seen.kind === kind && fits(seen as SeenOf<K>);
    const at = this.#kept.findIndex(isIt);
    if (at >= 0) return this.#kept.splice(at, 1)[0] as SeenOf<K>;
    const { promise, resolve } = pending<Seen>();
    const waiting = { fits: isIt, take: resolve };
    this.#waiting.add(waiting);
    const seen = await atMost(promise, this.within(withinMs));
    this.#waiting.delete(waiting);
    if (seen === undefined && this.#deadline.isOver) throw new Unable(deadlinePassed);
    return seen as SeenOf<K> | undefined;
  }

  /** Throws Unable where it is not there. */
  must<T>(value: T | undefined, why: string): T {
    if (value === undefined) throw new Unable(why);
    return value;
  }

  check(clause: Clause, ok: boolean, seen?: string): void {
    this.checks.push({ ...this.#here(clause), ...(!ok && { seen: seen ?? 'nothing' }) });
  }

  /** Nothing can be said of it. */
  unknown(clause: Clause, why: string): void {
    this.checks.push({ ...this.#here(clause), unknown: why });
  }

  /** The target is free to do otherwise, and does. */
  untried(clause: Clause, why: string): void {
    this.checks.push({ ...this.#here(clause), unknown: why, untried: true });
  }

  isChecked({ clause, expected }: Clause): boolean {
    return this.checks.some((one) => one.clause === clause && one.expected === expected);
  }

  /** What the target is told in the end, the last first. */
  onLeave(farewell: () => Promise<unknown>): void {
    this.#farewells.unshift(farewell);
  }

  leave(): Promise<unknown> {
    return Promise.allSettled(this.#farewells.map((farewell) => farewell()));
  }

  #here(clause: Clause) {
    return { step: Math.max(0, this.steps.length - 1), ...clause };
  }

  #see(seen: Seen): void {
    for (const waiting of this.#waiting) {
      if (!waiting.fits(seen)) continue;
      this.#waiting.delete(waiting);
      waiting.take(seen);
      return;
    }
    if (this.#kept.length < keptMax) this.#kept.push(seen);
  }
}
