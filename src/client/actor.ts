/** A machine of the client at work: its snapshot, its queue and its timers. */

import { clientStep, type ClientDefinition } from '../machines/client/definition.js';
import type { TimerEffect } from '../machines/client/effects.js';
import type { Clock, Random } from '../ports.js';

/** What every input carries: the time, and a token the machine may use. */
export interface Stamp {
  readonly at: number;
  readonly fresh: string;
}

export interface ActorWorld {
  readonly clock: Clock;
  readonly random: Random;
}

/** Characters of a token that becomes a Call-ID: 130 random bits. */
const freshLength = 22;

type Performed<Effect> = Exclude<Effect, TimerEffect>;

/** Performs effects in order, after the step that asked for them; timers are its own matter. */
export class ClientActor<Event extends { readonly type: string }, Effect> {
  readonly #definition: ClientDefinition<Event, Effect>;
  readonly #world: ActorWorld;
  readonly #perform: (effect: Performed<Effect>) => void;
  readonly #onState: ((state: string) => void) | undefined;
  readonly #timers = new Map<string, () => void>();
  readonly #inbox: Event[] = [];
  #snapshot: ReturnType<typeof clientStep>['snapshot'] | undefined;
  #running = false;

  constructor(
    definition: ClientDefinition<Event, Effect>,
    world: ActorWorld,
    perform: (effect: Performed<Effect>) => void,
    onState?: (state: string) => void,
  ) {
    this.#definition = definition;
    this.#world = world;
    this.#perform = perform;
    this.#onState = onState;
  }

  /** The name of the state it is in; undefined before the first event. */
  get state(): string | undefined {
    return this.#snapshot && String(this.#snapshot.value);
  }

  stamp(): Stamp {
    return { at: this.#world.clock.now(), fresh: this.#world.random.token(freshLength) };
  }

  /** An input may come while effects are performed; it waits for its turn. */
  tell(event: Event): void {
    this.#inbox.push(event);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#inbox.shift(); next; next = this.#inbox.shift()) this.#turn(next);
    } finally {
      this.#running = false;
    }
  }

  /** Withdraws every timer; nothing comes of it by itself any more. */
  stop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #turn(event: Event): void {
    const { snapshot, effects } = clientStep(this.#definition, this.#snapshot, event);
    this.#snapshot = snapshot;
    for (const effect of effects) {
      if (isTimer(effect)) this.#time(effect);
      else this.#perform(effect as Performed<Effect>);
    }
    this.#onState?.(String(snapshot.value));
  }

  #time(effect: TimerEffect): void {
    const { name } = effect;
    this.#timers.get(name)?.();
    this.#timers.delete(name);
    if (effect.type === 'timer.cancel') return;
    const cancel = this.#world.clock.after(effect.at - this.#world.clock.now(), () => {
      this.#timers.delete(name);
      // The machine names its own timers, so its dictionary has this event.
      this.tell({ ...this.stamp(), type: 'timer.expired', name } as unknown as Event);
    });
    this.#timers.set(name, cancel);
  }
}

function isTimer(effect: unknown): effect is TimerEffect {
  const { type } = effect as { readonly type: string };
  return type === 'timer.set' || type === 'timer.cancel';
}
