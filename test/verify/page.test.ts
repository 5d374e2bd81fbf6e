/** `docs/verification.md` is written by `npm run verification`; its figures of machines are current. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { format } from 'prettier';
import { machinesSection } from './page/machines.js';
import { mutationSection } from './page/mutation.js';
import { page } from './page/page.js';

test.each([machinesSection, mutationSection])(
  'the figures are current: $title',
  async ({ write }) => {
    const text = readFileSync(page, 'utf8');
    const section = await write();
    const written = await format(section, { parser: 'markdown', printWidth: 100 });
    expect(text).toContain(written);
  },
);
