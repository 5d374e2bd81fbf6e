import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { happenedIn } from './recorded.js';

const folder = import.meta.dirname;
const flows = readdirSync(folder).filter((name) => name.endsWith('.flow'));

/** `FLOWS=write` writes what happened into the flows; read the difference before you keep it. */
const writes = process.env['FLOWS'] === 'write';

test.each(flows)('%s', async (name) => {
  const path = join(folder, name);
  const text = readFileSync(path, 'utf8');
  const happened = await happenedIn(text);
  if (writes) writeFileSync(path, happened);
  else expect(happened).toBe(text);
});
