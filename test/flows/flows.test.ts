import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../../src/store/memory.js';
import { runFlow } from '../../src/testing/flow.js';
import { limits } from './limits.js';

const folder = import.meta.dirname;
const flows = readdirSync(folder).filter((name) => name.endsWith('.flow'));

const passing = { ...limits, forward: { ...limits.forward, mode: 'all' } } as const;

/** `FLOWS=write` writes what happened into the flows; read the difference before you keep it. */
const writes = process.env['FLOWS'] === 'write';

test.each(flows)('%s', async (name) => {
  const path = join(folder, name);
  const text = readFileSync(path, 'utf8');
  const happened = await runFlow(text, {
    createStore: (clock) => createMemoryStore({ clock }),
    actors: {
      limits: text.startsWith('# with forwarding') ? passing : limits,
      hostname: 's07.poste.example.net',
      domains: ['example.net'],
      aliases: { 'tel:+12025550147': 'sip:tomas@example.net' },
      trustedPeers: ['127.0.0.0/8'],
      version: '0.1',
      bounds: { nodeBlock: 1024, accountBlock: 4 },
    },
    xdms: text.startsWith('# with xdms'),
  });
  if (writes) writeFileSync(path, happened);
  else expect(happened).toBe(text);
});
