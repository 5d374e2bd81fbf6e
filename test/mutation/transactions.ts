/** What finds mutants of the SIP transactions: the tables and runners of the transport, which are no machines. */

import { isDeepStrictEqual } from 'node:util';
import { stepTransaction, timerDelay } from '../../src/transport/sip/transaction.js';
import { departures } from '../machines/sip/departures.js';
import { randomWalks, settings, shortestPaths, turnsOf, type Kind } from '../machines/sip/model.js';
import { Playback } from '../machines/sip/playback.js';
import { differences } from '../machines/sip/table.js';
import type { Killer } from './killers.js';

const transport = { step: stepTransaction, delay: timerDelay };

/** TX-01, TX-02, TX-04 for one kind; the paths are those of the machine as it is. */
export function transactionKillers(kind: Kind): Killer[] {
  return Object.entries(settings).flatMap(([name, facts]): Killer[] => {
    const paths = [...shortestPaths(kind, facts), ...randomWalks(kind, facts)];
    const found = (): string[] => {
      const all = paths.flatMap((path) => differences(kind, turnsOf(kind, path), transport));
      return [...new Set(all)].sort();
    };
    const before = found();
    const table = (): void => {
      if (!isDeepStrictEqual(found(), before)) throw new Error(`${name}: the table differs`);
    };
    const runner = async (): Promise<void> => {
      for (const path of shortestPaths(kind, facts)) {
        const playback = new Playback(kind, facts, { events: 0, timers: 0, ends: 0 });
        for (const event of path) if (!playback.isOver) await playback.play(event);
        if (!playback.isOver) playback.wait(4 * facts.inviteMs);
        const more = playback.found.find((one) => !departures[kind].includes(one));
        if (more !== undefined) throw new Error(more);
      }
    };
    const timers = (): void => {
      const ends = paths.map((path) => turnsOf(kind, path).at(-1)!.state);
      const left = ends.find(({ snapshot, running }) => {
        return snapshot.status === 'done' && running.length > 0;
      });
      if (left) throw new Error(`${name}: ${left.running[0]!.name} runs on`);
    };
    return [
      { name: `timers, ${name}`, kind: 'tests', run: timers },
      { name: `table, ${name}`, kind: 'tests', run: table },
      { name: `runner, ${name}`, kind: 'tests', run: runner },
    ];
  });
}
