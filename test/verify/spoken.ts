/** What `why` and `ladder` say. */

import { expect } from 'vitest';
import type { whyCommand } from '../../src/cli/why.js';

export async function spoken(make: typeof whyCommand, args: readonly string[]): Promise<string> {
  let text = '';
  await make((more) => (text += more)).parseAsync(args, { from: 'user' });
  process.exitCode = 0;
  return text;
}

/** What comes in this order, whatever stands between. */
export function expectInOrder(text: string, parts: readonly string[]): void {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    expect(at, `${part} in\n${text.slice(from)}`).toBeGreaterThanOrEqual(0);
    from = at + part.length;
  }
}
