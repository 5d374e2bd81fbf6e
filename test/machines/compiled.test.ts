/** The compiled step against the step of XState, and what tables refuse. */

import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { assign, createMachine, setup, type AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { deletion } from '../../src/machines/client/deletion.js';
import { delivery } from '../../src/machines/client/delivery.js';
import { largeMessage } from '../../src/machines/client/large-message.js';
import { publication } from '../../src/machines/client/publication.js';
import { registration } from '../../src/machines/client/registration.js';
import { retrieval } from '../../src/machines/client/retrieval.js';
import { submission } from '../../src/machines/client/submission.js';
import { watcher } from '../../src/machines/client/watcher.js';
import type { AccountEvent } from '../../src/machines/events.js';
import {
  oracleStep,
  snapshotAt,
  step,
  unborn,
  type ActorSnapshot,
  type Definition,
} from '../../src/machines/step.js';
import { alphabets } from './alphabet.js';
import { clientEvents } from './client-alphabet.js';
import { noon } from './facts.js';
import { eventsOf, kinds, machines, settings, turn, type ModelState } from './sip/model.js';

type Events = (snapshot: ActorSnapshot, at: number) => readonly unknown[];

const seed = 20261121;

describe('the table does what XState does, event by event', () => {
  test.each(alphabets)('$name', ({ definition, events }) => {
    expect(walk(definition, events, 100)).toBeGreaterThan(400);
  });

  const ofTheClient = {
    ...{ registration, submission, watcher, retrieval, delivery },
    ...{ largeMessage, deletion, publication },
  };
  test.each(Object.entries(ofTheClient))('%s of the client', (_name, { definition }) => {
    expect(walk(definition, clientEvents, 80)).toBeGreaterThan(1000);
  });

  test.each(kinds)('%s transaction', (kind) => {
    const { definition } = machines[kind];
    let steps = 0;
    for (const facts of Object.values(settings)) {
      let state: ModelState = { snapshot: definition.unborn, running: [] };
      steps += walk(
        definition,
        (snapshot) => {
          if (snapshot === definition.unborn) state = { snapshot, running: [] };
          return eventsOf(kind, state, facts);
        },
        50,
        (event) => (state = turn(kind, state, event as never).state),
      );
    }
    expect(steps).toBeGreaterThan(300);
  });

  test.each([...alphabets, ...kinds.map((kind) => ({ name: kind, ...machines[kind] }))])(
    '$name takes nothing it does not know',
    ({ definition }) => {
      for (const type of ['__proto__', 'constructor', 'toString', '', '*x']) {
        const event = { type, at: noon } as unknown as AccountEvent;
        const { snapshot, effects, handled } = step(definition, undefined, event);
        expect({ handled, effects }).toEqual({ handled: false, effects: [] });
        expect(snapshot).toBe(definition.unborn);
      }
    },
  );
});

describe('routes', () => {
  const routes = setup({
    types: { context: {} as { n: number }, events: {} as { type: string; n: number } },
    actions: {
      say: (_args, _said: { type: string }) => undefined,
      count: assign({ n: ({ context }) => context.n + 1 }),
      none: assign(() => ({})),
    },
    guards: {
      isUp: ({ context }) => context.n > 2,
      is: ({ event }, { n }: { n: number }) => event.n === n,
    },
  });
  const say = (type: string) => ({ type: 'say' as const, params: { type } });
  const passage = (name: string) => ({ entry: say(`+${name}`), exit: say(`-${name}`) });
  const machine = routes.createMachine({
    id: 'm',
    context: { n: 0 },
    initial: 'a',
    ...passage('m'),
    states: {
      a: {
        ...passage('a'),
        initial: 'b',
        states: {
          b: { ...passage('b'), on: { up: { target: '#m.a' }, next: 'c', own: 'b', none: {} } },
          c: {
            ...passage('c'),
            initial: 'd',
            states: {
              d: passage('d'),
              e: { ...passage('e'), always: { guard: 'isUp', target: '#m.a.b' } },
            },
            on: {
              in: '.e',
              again: { target: 'c', reenter: true },
              self: 'c',
              count: { actions: 'count' },
            },
          },
        },
        on: {
          in: '.c.e',
          inAgain: { target: '.c.e', reenter: true },
          out: 'z',
          next: [{ guard: { type: 'is', params: { n: 1 } }, actions: 'none' }, { target: 'f' }],
          count: { actions: ['count', say('n')] },
        },
      },
      f: { ...passage('f'), always: { guard: 'isUp', actions: say('up') }, on: { in: 'a.c' } },
      z: { ...passage('z'), type: 'final' },
    },
    on: {
      root: { target: '.a.c' },
      out: { target: '.z' },
      reset: { actions: 'none', target: '.a' },
    },
  });
  const definition = definitionOf(machine);
  const types = ['up', 'next', 'own', 'none', 'in', 'inAgain', 'again', 'self', 'count', 'out'];

  test('of every kind go as in XState', () => {
    const events = [...types, 'root', 'reset', 'unknown'].flatMap((type) => [
      { type, n: 1 },
      { type, n: 2 },
    ]);
    expect(walk(definition, () => events, 150)).toBeGreaterThan(800);
  });

  test('leave the snapshot as it is when nothing changes', () => {
    const before = definition.unborn;
    const forbidden = step(definition, before, { type: 'none' } as never);
    expect(forbidden.handled).toBe(true);
    expect(forbidden.snapshot).toBe(before);
    expect(step(definition, before, { type: 'unknown' } as never).handled).toBe(false);
  });

  test('an actor that is done has no transitions', () => {
    const { snapshot } = step(definition, undefined, { type: 'out' } as never);
    expect(snapshot.status).toBe('done');
    expect(step(definition, snapshot, { type: 'root' } as never).handled).toBe(false);
  });

  test('a snapshot begins in any innermost state, and in no other', () => {
    const inside = snapshotAt(machine, { a: { c: 'd' } }, { n: 0 });
    expect(step(definition, inside, { type: 'in' } as never).snapshot.value).toEqual({
      a: { c: 'e' },
    });
    for (const value of ['b', 'a', 'a.c.d.x', '__proto__', undefined, {}, { a: 'c' }]) {
      expect(() => snapshotAt(machine, value, {})).toThrow('MACHINE_STATE_UNKNOWN');
    }
  });

  test('eventless transitions without an end are found out', () => {
    const endless = setup({}).createMachine({
      initial: 'a',
      states: { a: { on: { go: 'b' } }, b: { always: 'c' }, c: { always: 'b' } },
    });
    expect(() => step(definitionOf(endless), undefined, { type: 'go' } as never)).toThrow(
      'MACHINE_ENDLESS',
    );
  });
});

describe('what tables do not know is refused when the machine is declared', () => {
  const noBody = (): void => undefined;
  const around = (state: object): object => ({ initial: 'a', states: { a: state, b: {} } });
  const refused: Record<string, object> = {
    'parallel states': { type: 'parallel', states: { a: {}, b: {} } },
    history: around({ initial: 'x', states: { x: {}, h: { type: 'history' } } }),
    'delayed transitions': around({ after: { 1000: 'b' } }),
    'invoked actors': around({ invoke: { src: 'actor' } }),
    'done events': around({ initial: 'x', states: { x: {} }, onDone: 'b' }),
    'final states inside others': around({ initial: 'x', states: { x: { type: 'final' } } }),
    wildcards: around({ on: { '*': 'b' } }),
    'inline actions': around({ entry: noBody, on: { go: { target: 'b', actions: noBody } } }),
    'inline guards': around({ on: { go: { target: 'b', guard: () => true } } }),
    'unknown actions': around({ on: { go: { actions: 'unknown' } } }),
    'unknown guards': around({ on: { go: { guard: 'unknown', target: 'b' } } }),
    'several targets': around({ on: { go: { target: ['a', 'b'] } } }),
    output: { ...around({}), output: 1 },
    tags: around({ tags: ['x'] }),
  };

  test.each(Object.entries(refused))('%s', (_name, config) => {
    expect(() => unborn(createMachine(config as never))).toThrow(/MACHINE_NOT_COMPILED|history/);
  });

  test('an effect without its fields', () => {
    const silent = setup({ actions: { say: noBody } }).createMachine(
      around({ on: { go: { actions: 'say' } } }) as never,
    );
    expect(() => unborn(silent as never)).toThrow('MACHINE_ACTION_WITHOUT_EFFECT: say');
  });
});

function definitionOf(machine: AnyStateMachine): Definition {
  const initial = unborn(machine);
  return { machine, unborn: initial, birth: [], rest: () => undefined, revive: () => initial };
}

/** Walks by random events, the same way for table and oracle; says how many steps it took. */
function walk(
  definition: Definition,
  events: Events,
  walks: number,
  onEvent: (event: unknown) => void = () => undefined,
): number {
  let steps = 0;
  const choices = fc.array(fc.nat({ max: 9999 }), { minLength: 12, maxLength: 40 });
  for (const choice of fc.sample(choices, { numRuns: walks, seed })) {
    let snapshot = definition.unborn;
    let oracle: ActorSnapshot = definition.unborn;
    for (const [i, number] of choice.entries()) {
      const all = events(snapshot, noon + i * 1000);
      if (all.length === 0) break;
      const event = all[(snapshot.value === 'absent' ? 0 : number) % all.length] as AccountEvent;
      const seen = step(definition, snapshot, event);
      const expected = oracleStep(definition, oracle, event);
      // The quick comparison first: that of vitest costs a hundred times as much.
      if (!isDeepStrictEqual(seen, expected)) expect(seen).toEqual(expected);
      onEvent(event);
      ({ snapshot } = seen);
      oracle = expected.snapshot;
      steps++;
      if (snapshot.status === 'done') break;
    }
  }
  return steps;
}
