/** The tables of the transport with one mistake each, for a test of the differential test. */

import type { TransactionFacts } from '../../../src/machines/sip/index.js';
import type {
  TimerName,
  TransactionInput,
  TransactionState,
  TransactionStep,
} from '../../../src/transport/sip/transaction.js';
import { settings, type Kind } from './model.js';
import type { Tables } from './table.js';

export interface Mutant {
  readonly name: string;
  readonly tables: Tables;
}

/** Of every cell that the paths look up: mistakes in what is there, additions where nothing is. */
export function* tableMutants(right: Tables, cells: Iterable<string>): Generator<Mutant> {
  for (const cell of cells) {
    const [kind, state, ...words] = cell.split(' ') as [Kind, TransactionState, ...string[]];
    const input = words.join(' ') as TransactionInput;
    const step = right.step(kind, state, input);
    for (const [name, wrong] of step ? wrongSteps(step) : wrongAdditions(state)) {
      yield {
        name: `${cell}: ${name}`,
        tables: {
          delay: right.delay,
          step: (...asked) => (asked.join(' ') === cell ? wrong : right.step(...asked)),
        },
      };
    }
  }
}

function* wrongSteps(step: TransactionStep): Generator<[string, TransactionStep | undefined]> {
  const { to, actions, timers } = step;
  yield ['forgotten', undefined];
  yield ['to another state', { ...step, to: to === 'terminated' ? 'completed' : 'terminated' }];
  yield ['one timeout too many', { ...step, actions: [...actions, 'timeout'] }];
  for (const action of actions) {
    yield [`without ${action}`, { ...step, actions: actions.filter((one) => one !== action) }];
  }
  for (const timer of timers) {
    yield [`without ${timer}`, { ...step, timers: timers.filter((one) => one !== timer) }];
  }
}

function* wrongAdditions(state: TransactionState): Generator<[string, TransactionStep]> {
  yield ['timeout', { to: state, actions: ['timeout'], timers: [] }];
  yield ['the end', { to: 'terminated', actions: [], timers: [] }];
}

/** Every timer of the kind 10 ms late, and of a reliable transport as of UDP. */
export function* delayMutants(right: Tables, timers: Iterable<TimerName>): Generator<Mutant> {
  for (const name of timers) {
    yield {
      name: `${name} late`,
      tables: {
        step: right.step,
        delay: (...asked) => {
          const delayMs = right.delay(...asked);
          return asked[0] === name && delayMs !== undefined ? delayMs + 10 : delayMs;
        },
      },
    };
    const { reliable, udp } = settings as Record<'reliable' | 'udp', TransactionFacts>;
    const ofReliable = right.delay(name, true, reliable, reliable.inviteMs);
    if (ofReliable === right.delay(name, false, udp, udp.inviteMs)) continue;
    yield {
      name: `${name} of TCP as of UDP`,
      tables: {
        step: right.step,
        delay: (timer, isReliable, values, inviteMs) =>
          right.delay(timer, isReliable && timer !== name, values, inviteMs),
      },
    };
  }
}
