/** The log of a server: one JSON object a line, and no flood of lines that say the same. */

import { beforeEach, expect, test } from 'vitest';
import type { Log } from '../../src/ports.js';
import { createLog } from '../../src/server/log.js';
import { ManualClock } from '../../src/testing/clock.js';

let clock: ManualClock;
let lines: { readonly level: number; readonly msg: string; readonly suppressed?: number }[];
let log: Log;

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  const to = { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[0]) };
  log = createLog('info', 3, to, clock);
});

function failed(times: number): void {
  for (let n = 0; n < times; n++) log.warn({ account: `user${n}` }, 'the store has failed');
}

test('of warnings with the same text so many a second are written, and then how many more', () => {
  failed(5_000);
  expect(lines).toHaveLength(3);
  clock.advance(1_000);
  expect(lines[3]).toMatchObject({ level: 40, suppressed: 4_997, msg: 'the store has failed' });
  failed(2);
  expect(lines).toHaveLength(6);
  clock.advance(10_000);
  expect(lines).toHaveLength(6);
});

test('another text is written while one floods, and what is no warning always', () => {
  failed(5_000);
  log.error({ code: 'STORE_DAMAGED' }, 'a record is damaged');
  for (let n = 0; n < 10; n++) log.info({ n }, 'listening');
  expect(lines.filter(({ msg }) => msg === 'a record is damaged')).toHaveLength(1);
  expect(lines.filter(({ msg }) => msg === 'listening')).toHaveLength(10);
});

test('texts without number have one bound together', () => {
  for (let n = 0; n < 10_000; n++) log.warn({}, `text ${n}`);
  expect(lines).toHaveLength(256 + 3);
  clock.advance(1_000);
  expect(lines.at(-1)).toMatchObject({ suppressed: 10_000 - 256 - 3, msg: 'other lines' });
});
