/** One actor under test: its machine stepped by events, and what it has said. */

import type { Effect } from '../../src/machines/effects.js';
import type { AccountEvent } from '../../src/machines/events.js';
import { step, type ActorSnapshot, type Definition } from '../../src/machines/index.js';

export class ActorUnderTest {
  readonly definition: Definition;
  snapshot: ActorSnapshot;
  /** Of the last event. */
  effects: readonly Effect[] = [];
  handled = true;

  constructor(definition: Definition, snapshot = definition.unborn) {
    this.definition = definition;
    this.snapshot = snapshot;
  }

  /** Steps by these events; `effects` are those of the last. */
  on(...events: readonly AccountEvent[]): this {
    for (const event of events) {
      const result = step(this.definition, this.snapshot, event);
      this.snapshot = result.snapshot;
      this.effects = result.effects;
      this.handled = result.handled;
    }
    return this;
  }

  /** Types of the effects in order; a tell with its addressee and event. */
  get said(): string[] {
    return this.effects.map(sentence);
  }

  get state(): unknown {
    return this.snapshot.value;
  }

  find<Type extends Effect['type']>(type: Type): Extract<Effect, { type: Type }> | undefined {
    return this.effects.find((effect) => effect.type === type) as
      Extract<Effect, { type: Type }> | undefined;
  }
}

export function sentence(effect: Effect): string {
  switch (effect.type) {
    case 'tell':
      return `${effect.to} ${effect.event.type}`;
    case 'sip.respond':
      return `respond ${effect.status}`;
    case 'timer.set':
    case 'timer.cancel':
      return `${effect.type} ${effect.name}`;
    case 'report.send':
      return `report ${effect.disposition}`;
    default:
      return effect.type;
  }
}
