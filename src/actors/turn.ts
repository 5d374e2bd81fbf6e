/** One turn: an input, everything the actors of the account say to each other, and its result. */

import assert from 'node:assert';
import type { Effect } from '../machines/effects.js';
import type { AccountEvent, Address, Limits } from '../machines/events.js';
import { definitionOf, sameAtRest, step } from '../machines/index.js';
import type { ActorSnapshot, AtRest, Definition } from '../machines/index.js';
import type { UploadId } from '../ports.js';
import { ChangeBuilder } from './change.js';

/** An actor in memory. Never altered: a turn makes another one. */
export interface Actor {
  readonly snapshot: ActorSnapshot;
  /** As it is stored, or will be when the commits under way are done. */
  readonly atRest: AtRest | undefined;
}

export interface TurnInput {
  readonly to: Address;
  readonly event: AccountEvent;
  /** The octets that `message.put` keeps. */
  readonly payload?: Buffer | UploadId;
  readonly at: number;
}

/** A map, or what is asked like one. */
type Lookup<Value> = Pick<ReadonlyMap<Address, Value>, 'get' | 'has'>;

/** What a turn may look at. */
export interface TurnWorld {
  readonly actors: Lookup<Actor>;
  /** Actors at rest that were read for this turn; undefined: there is no such row. */
  readonly read: Lookup<AtRest | undefined>;
  readonly limits: Limits;
  /** Steps that one turn may take. */
  readonly steps: number;
  /** ms for which the digest of a deleted message is kept (D-18). */
  readonly duplicateMs: number;
  /** Other machines than those of the product, for tools that look into what these would do. */
  readonly definitionOf?: (address: Address) => Definition;
}

/** An actor as the turn leaves it. */
export interface SteppedActor {
  readonly address: Address;
  /** Undefined: not in memory any more. */
  readonly actor: Actor | undefined;
}

/** An effect, and the actor that asked for it. */
export interface Asked {
  readonly by: Address;
  readonly effect: Effect;
}

export type TurnResult =
  /** Nothing was done: the turn is to be taken again when these have been read. */
  | { readonly kind: 'reads'; readonly addresses: readonly Address[] }
  | {
      readonly kind: 'done';
      /** Actors that were stepped. */
      readonly actors: ReadonlyMap<Address, SteppedActor>;
      readonly change: ChangeBuilder;
      /** In order; what is part of the change is not among them. */
      readonly effects: readonly Asked[];
      /** False when the addressed actor does not exist or has no transition for the event. */
      readonly handled: boolean;
      /** Everything that was told, the input first. */
      readonly told: readonly Told[];
      /** Events for actors that do not exist. */
      readonly deadLetters: number;
    };

/** Pure: the same input in the same world has the same result. */
export function takeTurn(world: TurnWorld, input: TurnInput): TurnResult {
  return new Turn(world, input).run();
}

/** An event, and who told it; the input was told by nobody. */
export interface Told {
  readonly to: Address;
  readonly event: AccountEvent;
  readonly by: Address | undefined;
}

interface Stepped extends SteppedActor {
  readonly definition: Definition;
  actor: Actor | undefined;
}

class Turn {
  readonly #world: TurnWorld;
  readonly #input: TurnInput;
  readonly #queue: Told[] = [];
  readonly #stepped = new Map<Address, Stepped>();
  readonly #change = new ChangeBuilder();
  readonly #effects: Asked[] = [];
  #handled = false;
  #deadLetters = 0;

  constructor(world: TurnWorld, input: TurnInput) {
    this.#world = world;
    this.#input = input;
    this.#queue.push({ to: input.to, event: input.event, by: undefined });
  }

  run(): TurnResult {
    for (let taken = 0; taken < this.#queue.length; taken++) {
      assert(taken < this.#world.steps, 'a turn ends');
      const told = this.#queue[taken]!;
      if (!this.#isKnown(told)) return { kind: 'reads', addresses: this.#unread(taken) };
      const handled = this.#deliver(told);
      if (taken === 0) this.#handled = handled;
    }
    this.#settle();
    return {
      kind: 'done',
      actors: this.#stepped,
      change: this.#change,
      effects: this.#effects,
      handled: this.#handled,
      told: this.#queue,
      deadLetters: this.#deadLetters,
    };
  }

  /** Only a virtual UA can be at rest unseen, and a birth needs no look: its serial is fresh. */
  #isKnown({ to, event }: Told): boolean {
    if (!to.startsWith('ua/')) return true;
    if (this.#definitionOf(to).birth.includes(event.type)) return true;
    return this.#stepped.has(to) || this.#world.actors.has(to) || this.#world.read.has(to);
  }

  #unread(from: number): Address[] {
    const addresses = new Set<Address>();
    for (let next = from; next < this.#queue.length; next++) {
      const told = this.#queue[next]!;
      if (!this.#isKnown(told)) addresses.add(told.to);
    }
    return [...addresses];
  }

  #deliver(told: Told): boolean {
    const stepped = this.#stepped.get(told.to);
    const definition = stepped?.definition ?? this.#definitionOf(told.to);
    const actor = stepped ? stepped.actor : this.#actorAt(told.to, definition);
    if (actor === undefined && !definition.birth.includes(told.event.type)) {
      this.#undelivered(told);
      return false;
    }
    const result = step(definition, actor?.snapshot, told.event);
    if (!result.handled) {
      if (actor === undefined) this.#undelivered(told);
      return false;
    }
    const next = { snapshot: result.snapshot, atRest: actor?.atRest };
    if (stepped) stepped.actor = next;
    else this.#stepped.set(told.to, { address: told.to, definition, actor: next });
    for (const effect of result.effects) this.#apply(told.to, effect);
    return true;
  }

  #definitionOf(address: Address): Definition {
    return (this.#world.definitionOf ?? definitionOf)(address);
  }

  #actorAt(address: Address, definition: Definition): Actor | undefined {
    const live = this.#world.actors.get(address);
    if (live !== undefined) return live;
    const atRest = this.#world.read.get(address);
    return atRest && { snapshot: definition.revive(atRest), atRest };
  }

  /** Sessions hear that a message is not there, so that they go on to the next one. */
  #undelivered({ to, by }: Told): void {
    this.#deadLetters++;
    if (by === undefined || by.startsWith('subscription/') || by.startsWith('conference/')) return;
    const { limits } = this.#world;
    const event: AccountEvent = { type: 'undelivered', at: this.#input.at, to, limits };
    this.#queue.push({ to: by, event, by: undefined });
  }

  #apply(by: Address, effect: Effect): void {
    switch (effect.type) {
      case 'tell':
        this.#queue.push({ to: effect.to, event: effect.event, by });
        return;
      case 'stop':
        this.#stop(by);
        return;
      case 'message.put':
        assert(this.#input.payload !== undefined, 'a message has octets');
        this.#change.keep(effect.serial, this.#input.payload);
        return;
      case 'message.delete':
        this.#change.drop(effect.serial);
        if (effect.receivedAt + this.#world.duplicateMs > this.#input.at) {
          this.#change.remember(effect.receivedAt, effect.digest);
        }
        return;
      case 'timer.set':
        if (effect.durable) this.#change.setTimer(effect.at, by, effect.name);
        else this.#effects.push({ by, effect });
        return;
      case 'timer.cancel':
        if (effect.durable) this.#change.cancelTimer(effect.at, by, effect.name);
        else this.#effects.push({ by, effect });
        return;
      default:
        this.#effects.push({ by, effect });
    }
  }

  /** The row goes with the actor; what it had asked for before still happens. */
  #stop(address: Address): void {
    const stepped = this.#stepped.get(address);
    assert(stepped, 'only an actor that was stepped stops');
    if (stepped.actor?.atRest !== undefined) this.#change.putActor(address, undefined);
    stepped.actor = undefined;
    this.#effects.push({ by: address, effect: { type: 'stop' } });
  }

  /** Writes what is different at rest, and lets go of virtual UAs that are at rest altogether. */
  #settle(): void {
    for (const stepped of this.#stepped.values()) {
      const { address, definition, actor } = stepped;
      if (actor === undefined) continue;
      const { snapshot } = actor;
      const atRest = definition.rest(snapshot);
      if (!sameAtRest(actor.atRest, atRest)) this.#change.putActor(address, atRest);
      const leaves = address.startsWith('ua/') && atRest?.state === snapshot.value;
      stepped.actor = leaves ? undefined : { snapshot, atRest };
    }
  }
}
