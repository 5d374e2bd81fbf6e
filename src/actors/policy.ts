/** Asks operator policy about a request, in bounded time and number, and answers for it. */

import type { Clock, Log, PolicyPort, PolicyQuestion, PolicyVerdict } from '../ports.js';
import type { Counters } from './counters.js';
import { policyOf } from './policy-rules.js';
import type { PolicyRule } from './policy-rules.js';

export interface PolicyParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly bounds: {
    /** Verdicts that are waited for. */
    readonly policyPending: number;
    readonly policyMs: number;
  };
}

/** `unavailable`: nobody knows; the request is to be answered 503. */
export type Judged = PolicyVerdict | 'unavailable';

/** The operator's rules decide first; what they let pass is put to the embedder's port. */
export class Policy {
  readonly #parts: PolicyParts;
  readonly #port: PolicyPort | undefined;
  #rules: PolicyPort;
  #hasRules: boolean;
  #pending = 0;

  constructor(parts: PolicyParts, rules: readonly PolicyRule[], port: PolicyPort | undefined) {
    this.#parts = parts;
    this.#port = port;
    this.#rules = policyOf(rules);
    this.#hasRules = rules.length > 0;
  }

  /** Nobody is there who could say no: there is nothing to ask. */
  get isOpen(): boolean {
    return !this.#hasRules && !this.#port;
  }

  /** From here on these rules hold. */
  replace(rules: readonly PolicyRule[]): void {
    this.#rules = policyOf(rules);
    this.#hasRules = rules.length > 0;
  }

  /** Goes on at once when the verdict is there at once; other requests are never held back. */
  judge(question: PolicyQuestion, proceed: (judged: Judged) => void): void {
    const ruled = this.#rules.judge(question);
    const verdict = isRefusal(ruled) || !this.#port ? ruled : this.#ask(this.#port, question);
    if (!(verdict instanceof Promise)) {
      proceed(this.#count(verdict));
      return;
    }
    this.#await(verdict, proceed);
  }

  #ask(port: PolicyPort, question: PolicyQuestion): Judged | Promise<PolicyVerdict> {
    const { bounds } = this.#parts;
    if (this.#pending >= bounds.policyPending) return 'unavailable';
    try {
      return port.judge(question);
    } catch (error) {
      this.#failed(error);
      return 'unavailable';
    }
  }

  #await(verdict: Promise<PolicyVerdict>, proceed: (judged: Judged) => void): void {
    const { clock, log, bounds } = this.#parts;
    this.#pending++;
    let waits = true;
    const conclude = (judged: Judged): void => {
      if (!waits) return;
      waits = false;
      withdraw();
      this.#pending--;
      proceed(this.#count(judged));
    };
    const withdraw = clock.after(bounds.policyMs, () => {
      log.warn({ code: 'POLICY_TIMEOUT' }, 'policy has not answered in time');
      conclude('unavailable');
    });
    verdict
      .catch((error: unknown) => {
        this.#failed(error);
        return 'unavailable' as const;
      })
      .then(conclude)
      // What goes on behind the verdict is ours; its failure costs this request only.
      .catch((error: unknown) => log.error({ err: error }, 'request failed'));
  }

  #failed(error: unknown): void {
    this.#parts.log.warn({ err: error, code: 'POLICY_FAILED' }, 'policy has failed');
  }

  #count(judged: Judged): Judged {
    const { counters } = this.#parts;
    if (judged === 'unavailable') counters['actors.policy.unavailable']++;
    else if (!judged.allowed) counters['actors.policy.refused']++;
    return judged;
  }
}

function isRefusal(verdict: PolicyVerdict | Promise<PolicyVerdict>): boolean {
  return !(verdict instanceof Promise) && !verdict.allowed;
}
