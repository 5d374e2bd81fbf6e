/** Plays one path: every step on the wire and in the model, and what comes held against the model. */

import type { Trace } from '../../ports.js';
import { deadlinePassed, pause, type Deadline } from './at-most.js';
import { castOf } from './cast.js';
import type { AccountState } from '../bounded-account.js';
import { TesterEndpoint } from './endpoint.js';
import { expectationOf, type Expectation } from './expectation.js';
import { Judge, type Check } from './judge.js';
import { advance, beginning, messagesIn, shortMs, type Owed } from './model.js';
import { Performer } from './performer.js';
import type { RunSettings } from './settings.js';
import { describeStep, type Step } from './step.js';
import { judgeSurplus } from './surplus.js';

export type Path = readonly Step[];

/** What a path has shown. */
export interface Played {
  readonly checks: readonly Check[];
  /** Something at all was heard of the target. */
  readonly heard: boolean;
  /** The step that could not be taken or answered, and why; absent: the whole path was played. */
  readonly stopped?: { readonly step: number; readonly why: string };
}

/** With whom, how, and until when a path or a case is played. */
export interface Playing {
  readonly settings: RunSettings;
  /** User part. */
  readonly user: string;
  readonly deadline: Deadline;
  readonly trace?: Trace | undefined;
}

/** Plays it, and leaves nothing behind. */
export async function playPath(playing: Playing, path: Path): Promise<Played> {
  const { settings, user, trace } = playing;
  const endpoint = await TesterEndpoint.open(settings, user, trace);
  const player = new Player(playing, path, endpoint);
  try {
    return await player.run();
  } finally {
    await endpoint.close();
  }
}

class Player {
  readonly #settings: RunSettings;
  readonly #path: Path;
  readonly #deadline: Deadline;
  readonly #judge: Judge;
  readonly #performer: Performer;
  #state: AccountState = beginning();
  readonly #messages = new Map<number, number>();

  constructor({ settings, deadline }: Playing, path: Path, endpoint: TesterEndpoint) {
    this.#settings = settings;
    this.#path = path;
    this.#deadline = deadline;
    const cast = castOf(settings, endpoint);
    this.#judge = new Judge(cast, deadline);
    this.#performer = new Performer(cast, endpoint, this.#judge, deadline);
    endpoint.onSeen = (seen) => {
      if (seen.kind === 'bye') this.#performer.forget(seen.session);
      this.#judge.see(seen);
    };
  }

  async run(): Promise<Played> {
    await this.#performer.arrive();
    for (const [index, step] of this.#path.entries()) {
      if (this.#deadline.isOver) return this.#stop(index, deadlinePassed);
      const why = await this.#take(step, index);
      if (why !== undefined) return this.#stop(index, why);
    }
    const missed = await this.#judge.until(() => true);
    if (missed.length === 0) {
      await pause(this.#deadline.within(this.#settings.quietMs));
      const messages = new Set(this.#messages.values()).size;
      const { hasEnded } = this.#performer;
      judgeSurplus(this.#judge, { path: this.#path, messages, hasEnded });
    }
    await this.#performer.leave();
    return { checks: this.#judge.checks, heard: this.#performer.heard };
  }

  /** Says why the path cannot go on. */
  async #take(step: Step, index: number): Promise<string | undefined> {
    const before = this.#state;
    const { state, owed } = advance(before, step, index);
    this.#noteMessages(before);
    this.#noteMessages(state);
    this.#state = state;
    for (const one of owed) this.#expect(one, step, index, state.now - before.now);
    this.#dropGone(state);
    const answer = owed.find(({ effect }) => 'transaction' in effect);
    const outcome = await this.#performer.perform(step, before, answer);
    if (outcome !== undefined) return outcome.why;
    const missed = await this.#judge.until((one) => this.#isPrompt(one));
    const [first] = missed;
    return first && `${first.text} did not come (${describeStep(this.#path[first.step]!)})`;
  }

  #noteMessages(state: AccountState): void {
    for (const { serial, message } of messagesIn(state)) this.#messages.set(serial, message);
  }

  #expect(owed: Owed, step: Step, index: number, waitedMs: number): void {
    const { timeoutMs } = this.#settings;
    const message = this.#aboutMessage(owed, step);
    const expectation = expectationOf(owed, {
      ...{ step, index },
      ...(message !== undefined && { message }),
      withinMs: timeoutMs + Math.min(waitedMs, shortMs),
      notified: this.#judge.wasNotified(owed.by),
    });
    this.#judge.expect(expectation);
  }

  #aboutMessage({ effect }: Owed, step: Step): number | undefined {
    switch (effect.type) {
      case 'msrp.send':
      case 'report.send':
        return this.#messages.get(effect.serial);
      case 'sip.notify':
        return step.do === 'submit' && effect.added.length === 1 ? step.message : undefined;
      default:
        return undefined;
    }
  }

  /** A session that is over in the model owes no SEND any more. */
  #dropGone({ peers }: AccountState): void {
    this.#judge.drop(({ owed: { effect } }) => {
      if (effect.type !== 'msrp.send') return false;
      const { serial, session } = effect;
      return !peers.sends.some((send) => send.serial === serial && send.session === session);
    });
  }

  /**
   * Everything is waited for before the next step, but for SENDs behind the first one: how many of
   * them are under way at a time is up to the server.
   */
  #isPrompt({ owed: { effect } }: Expectation): boolean {
    if (effect.type !== 'msrp.send') return true;
    const first = this.#state.peers.sends.find(({ session }) => session === effect.session);
    return first?.serial === effect.serial;
  }

  async #stop(step: number, why: string): Promise<Played> {
    this.#judge.abandon(why);
    this.#foretell(step + 1, why);
    await this.#performer.leave();
    const stopped = { step, why };
    return { checks: this.#judge.checks, heard: this.#performer.heard, stopped };
  }

  /** What the rest of the path would have shown is not known. */
  #foretell(from: number, why: string): void {
    for (const [index, step] of [...this.#path.entries()].slice(from)) {
      const { state, owed } = advance(this.#state, step, index);
      this.#noteMessages(state);
      this.#state = state;
      for (const one of owed) this.#expect(one, step, index, 0);
      this.#judge.abandon(why);
    }
  }
}
