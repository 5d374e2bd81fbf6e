/** The growth picture of docs/performance.md, from a history that stands here. */

import { fileURLToPath, pathToFileURL } from 'node:url';
import { SaxesParser } from 'saxes';
import { expect, test } from 'vitest';

interface Line {
  readonly suite: string;
  readonly unit: string;
  readonly at: number;
  readonly median: number | null;
}

const source = fileURLToPath(new URL('../../bench/lib/growth.mjs', import.meta.url));
const { growthSvg } = (await import(pathToFileURL(source).href)) as {
  growthSvg(lines: readonly object[]): string | undefined;
};

const line = (unit: string, at: number, median: number | null): Line => ({
  ...{ suite: 'scale', unit, at, median },
});

const history: readonly Line[] = [
  line('ms from start to the first 202', 10_000, 620),
  line('ms from start to the first 202', 100_000, 640),
  line('ms from start to the first 202', 1_000_000, 700),
  line('MB resident at the first 202', 10_000, 60),
  line('MB resident at the first 202', 1_000_000, 64),
  line('MB resident', 10_000, 250),
  line('MB resident', 1_000_000, 380),
  line('ms to push 20 messages', 10_000, 0),
  line('ms to push 20 messages', 100_000, null),
  line('10000 expire: messages/s', 10_000, 1332),
  line('1000000 expire: messages/s', 1_000_000, 6300),
  line("p99 ms of another user's 202 while 10000 expire", 10_000, 118),
  line("p99 ms of another user's 202 while a mailbox of 200000 is deleted", 1_000_000, 90),
];

/** Elements with their attributes; throws where it is not well-formed. */
function elementsOf(svg: string): { name: string; attributes: Record<string, string> }[] {
  const elements: { name: string; attributes: Record<string, string> }[] = [];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => elements.push({ name, attributes }));
  parser.write(svg).close();
  return elements;
}

test('every figure of the suite scale is a point inside the picture', () => {
  const elements = elementsOf(growthSvg(history)!);
  const dots = elements.filter(({ name }) => name === 'circle');
  // All but the one that was not measured.
  expect(dots).toHaveLength(history.length - 1);
  for (const { attributes } of dots) {
    expect(Number(attributes['cx'])).toBeGreaterThan(0);
    expect(Number(attributes['cx'])).toBeLessThan(300);
    expect(Number(attributes['cy'])).toBeGreaterThan(40);
    expect(Number(attributes['cy'])).toBeLessThan(180);
  }
});

test('ten times as many messages are one step to the right, more of anything is higher', () => {
  const dots = elementsOf(growthSvg(history)!).filter(({ name }) => name === 'circle');
  const [few, some, many] = dots.map(({ attributes }) => Number(attributes['cx']));
  expect(some! - few!).toBeCloseTo(many! - some!, 0);
  const [low, middle, high] = dots.map(({ attributes }) => Number(attributes['cy']));
  expect(low).toBeGreaterThan(middle!);
  expect(middle).toBeGreaterThan(high!);
});

test('the same history is the same picture, and the newest figure counts', () => {
  const svg = growthSvg(history);
  expect(growthSvg(history.toReversed())).toBe(svg);
  const old = line('ms from start to the first 202', 10_000, 9_000);
  expect(growthSvg([old, ...history])).toBe(svg);
  expect(growthSvg([...history, old])).not.toBe(svg);
});

test('it is readable on light and on dark ground', () => {
  const svg = growthSvg(history)!;
  const [light = '', dark = ''] = svg.split('@media (prefers-color-scheme: dark)');
  const paintsOf = (style: string) => style.match(/(?<=^|\s)[.\w ]+(?= \{ (?:fill|stroke): #)/gm);
  const names = (paintsOf(dark.split('</style>')[0]!) ?? []).map((one) => one.trim());
  expect(names).toContain('.ground');
  for (const name of ['text', '.mark', '.grid', '.line.s0', '.line.s1']) {
    expect(names).toContain(name);
    expect(light).toContain(`${name} { `);
  }
});

test('one size makes no curve, and other suites none at all', () => {
  expect(growthSvg(history.filter(({ at }) => at === 10_000))).toBeUndefined();
  expect(growthSvg(history.map((one) => ({ ...one, suite: 'store' })))).toBeUndefined();
  expect(growthSvg([])).toBeUndefined();
});
