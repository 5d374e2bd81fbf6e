/** The tables and runners of the SIP transactions against the machines of RFC 3261 and 6026. */

import { describe, expect, test } from 'vitest';
import {
  stepTransaction,
  timerDelay,
  type TimerName,
  type TransactionState,
  type TransactionStep,
} from '../../../src/transport/sip/transaction.js';
import { TransactionTimers } from '../../../src/transport/sip/transaction-timers.js';
import type { TimedTransaction } from '../../../src/transport/sip/transaction-timers.js';
import type { TransactionEvent, TransactionFacts } from '../../../src/machines/sip/index.js';
import {
  choices,
  kinds,
  randomWalks,
  settings,
  shortestPaths,
  turnsOf,
  type Kind,
} from '../../machines/sip/model.js';
import { departures } from '../../machines/sip/departures.js';
import { delayMutants, tableMutants } from '../../machines/sip/mutants.js';
import { Playback, type Tally, type Wrong } from '../../machines/sip/playback.js';
import { differences, type Cells, type Tables } from '../../machines/sip/table.js';

/** Cells without a path: CANCEL, and with it Timer X, waits for a provisional response (9.1). */
const unreachable: readonly string[] = ['inviteClient trying timer X'];

const timersOf: Readonly<Record<Kind, readonly TimerName[]>> = {
  inviteClient: ['A', 'B', 'C', 'D', 'M', 'X'],
  client: ['E', 'F', 'K'],
  inviteServer: ['C', 'G', 'H', 'I', 'L'],
  server: ['J', 'X'],
};

const transport: Tables = { step: stepTransaction, delay: timerDelay };

const paths = byKind((kind) =>
  Object.values(settings).flatMap((facts) => [
    ...shortestPaths(kind, facts),
    ...randomWalks(kind, facts),
  ]),
);
const traces = byKind((kind) => paths[kind].map((path) => turnsOf(kind, path)));

describe.each(kinds)('%s', (kind) => {
  test('TX-01, TX-02, TX-04: the table does what the machine does, on every path', () => {
    const cells: Cells = new Set();
    expect(allDifferences(kind, transport, cells)).toEqual(departures[kind]);
    const missed = definedCells(kind).filter((cell) => !cells.has(cell));
    expect(missed).toEqual(unreachable.filter((cell) => cell.startsWith(`${kind} `)));
    const { length } = definedCells(kind);
    console.info(
      `${kind}: ${length - missed.length} of ${length} cells, ${paths[kind].length} paths, ` +
        `${departures[kind].length} departures`,
    );
  });

  test.each(Object.entries(settings))(
    'TX-01, TX-02: the runner does it at the same instant, %s',
    async (name, facts) => {
      const tally: Tally = { events: 0, timers: 0, ends: 0 };
      expect(await playAll(kind, facts, tally)).toEqual([]);
      expect(tally.ends).toBeGreaterThan(0);
      const { events, timers, ends } = tally;
      console.info(`${kind}, ${name}: ${events} events, ${timers} timers, ${ends} ends`);
    },
  );

  test('a table with one mistake is found out', () => {
    const cells: Cells = new Set();
    allDifferences(kind, transport, cells);
    const mutants = [...tableMutants(transport, cells), ...delayMutants(transport, timersOf[kind])];
    const survivors = mutants.filter(({ tables }) => !isFoundOut(kind, tables));
    console.info(`${kind}: ${mutants.length - survivors.length} of ${mutants.length} mutants`);
    expect(mutants.length).toBeGreaterThan(20);
    expect(survivors.map(({ name }) => name)).toEqual([]);
  });

  test.each(wrongRunners(kind))('a runner is found out with %s', async (_, wrong) => {
    const tally: Tally = { events: 0, timers: 0, ends: 0 };
    expect(await playAll(kind, settings['udp']!, tally, wrong)).not.toEqual([]);
  });
});

/** Repeats always after the first interval. */
class ConstantTimers extends TransactionTimers {
  override move(transaction: TimedTransaction, step: TransactionStep): void {
    transaction.intervalMs = 0;
    super.move(transaction, step);
  }
}

/** Leaves the timers of the state before running. */
class LastingTimers extends TransactionTimers {
  override move(transaction: TimedTransaction, step: TransactionStep): void {
    if (step.timers.length > 0) super.move(transaction, step);
    else transaction.state = step.to;
  }
}

function wrongRunners(kind: Kind): [string, Wrong][] {
  const udp = settings['udp']!;
  const all: [string, Wrong][] = [
    ['another T1', { facts: { ...udp, t1: 510 } }],
    ['the transport taken for reliable', { facts: { ...udp, reliable: true } }],
  ];
  // With `server` one timer always takes the place of the other, and nothing is repeated.
  if (kind !== 'server') {
    all.push(['timers that last', { timers: (...given) => new LastingTimers(...given) }]);
    all.push(['a constant interval', { timers: (...given) => new ConstantTimers(...given) }]);
  }
  if (kind === 'client' || kind === 'inviteServer') {
    all.push(['another T2', { facts: { ...udp, t2: 8_000 } }]);
    all.push(['another T4', { facts: { ...udp, t4: 5_010 } }]);
  }
  return all;
}

function byKind<Value>(make: (kind: Kind) => Value): Readonly<Record<Kind, Value>> {
  return Object.fromEntries(kinds.map((kind) => [kind, make(kind)])) as Record<Kind, Value>;
}

function allDifferences(kind: Kind, tables: Tables, cells: Cells): string[] {
  const found = traces[kind].flatMap((turns) => differences(kind, turns, tables, cells));
  return [...new Set(found)].sort();
}

/** A difference that is no departure, or a departure that is not there. */
function isFoundOut(kind: Kind, tables: Tables): boolean {
  const found = new Set<string>();
  for (const turns of traces[kind]) {
    for (const difference of differences(kind, turns, tables)) {
      if (!departures[kind].includes(difference)) return true;
      found.add(difference);
    }
  }
  return found.size < departures[kind].length;
}

function definedCells(kind: Kind): string[] {
  const states: TransactionState[] = [
    'initial',
    'trying',
    'proceeding',
    'completed',
    'confirmed',
    'accepted',
    'terminated',
  ];
  const messages = ['start', 'request', 'ack', 'provisional', 'success', 'failure'] as const;
  const timers = [...new Set(kinds.flatMap((one) => timersOf[one]))].map(
    (name) => `timer ${name}` as const,
  );
  return states.flatMap((state) =>
    [...messages, 'transportError' as const, ...timers]
      .filter((input) => stepTransaction(kind, state, input) !== undefined)
      .map((input) => `${kind} ${state} ${input}`),
  );
}

/** Every path of the model, and walks that wait between events; departures are left aside. */
async function playAll(
  kind: Kind,
  facts: TransactionFacts,
  tally: Tally,
  wrong?: Wrong,
): Promise<string[]> {
  const found = new Set<string>();
  const finish = (playback: Playback): void => {
    // Left alone, every transaction comes to its end, or waits for its user.
    if (!playback.isOver) playback.wait(4 * facts.inviteMs);
    playback.found.forEach((one) => found.add(one));
  };
  for (const path of playable(kind, facts)) {
    const playback = new Playback(kind, facts, tally, wrong);
    for (const event of path) if (!playback.isOver) await playback.play(event);
    finish(playback);
  }
  for (const walk of choices(200)) {
    const playback = new Playback(kind, facts, tally, wrong);
    for (const choice of walk) {
      if (playback.isOver) break;
      const { events } = playback;
      await playback.play(events[choice % events.length]!);
      if (!playback.isOver) playback.wait((choice * 10) % (12 * facts.t1));
    }
    finish(playback);
  }
  return [...found].filter((one) => !departures[kind].includes(one)).sort();
}

function playable(kind: Kind, facts: TransactionFacts): TransactionEvent[][] {
  return paths[kind].filter(([first]) => first?.facts === facts);
}
