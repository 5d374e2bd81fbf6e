/** What every transition of every machine does, by example: read the difference before you keep it. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { alphabets } from './alphabet.js';
import { describeExample, examplesOf } from './examples.js';
import { transitionsOf } from './model-paths.js';

const folder = join(import.meta.dirname, 'examples');

/** `FLOWS=write` writes what happened into the files. */
const writes = process.env['FLOWS'] === 'write';

describe.each(alphabets)('$name', (alphabet) => {
  const file = join(folder, `${alphabet.name}.txt`);
  const examples = examplesOf(alphabet);

  test('every transition has an example', () => {
    const names = transitionsOf(alphabet.definition.machine).map(({ name }) => name);
    expect(examples.map(({ name }) => name)).toEqual(names.sort());
  });

  test('every transition does what its example says', () => {
    const happened = `${examples.map((one) => describeExample(alphabet, one)).join('\n')}\n`;
    if (writes) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, happened);
    } else expect(happened).toBe(readFileSync(file, 'utf8'));
  });
});
