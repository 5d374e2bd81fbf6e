/** What the scenarios of the client's machines have in common. */

import { describe, expect, test } from 'vitest';
import { drive, untaken, type Told } from './drive.js';

export const answered = (status: number, more: Record<string, unknown> = {}, at = 1): Told => ({
  type: 'answered',
  at,
  answer: { status, reason: 'x', ...more },
});
export const failed = (cause: 'timeout' | 'transport' = 'transport', at = 1): Told => ({
  type: 'failed',
  at,
  cause,
});
export const expired = (name: string, at = 2): Told => ({ type: 'timer.expired', at, name });

export type Scenarios = Record<string, Told[]>;

/** Each machine by its name, with its scenarios: what its transcript says, and that every transition is taken. */
export function describeMachines(
  machines: readonly (readonly [string, unknown, Scenarios])[],
): void {
  describe.each(machines)('%s', (name, definition, scenarios) => {
    const machine = definition as never;

    test('does what its transcript says', async () => {
      const text = Object.entries(scenarios)
        .map(([title, events]) => `# ${title}\n${drive(machine, events).transcript.join('\n')}\n`)
        .join('\n');
      await expect(text).toMatchFileSnapshot(`transcripts/${name}.txt`);
    });

    test('has no transition that no scenario takes', () => {
      const drives = Object.values(scenarios).map((events) => drive(machine, events));
      expect(untaken(machine, drives)).toEqual([]);
    });
  });
}
