/** What happens when a recorded flow is played again. */

import { createMemoryStore } from '../../src/store/memory.js';
import { runFlow } from '../../src/testing/flow.js';
import { limits } from './limits.js';

const passing = { ...limits, forward: { ...limits.forward, mode: 'all' } } as const;

/** Its first line may ask for forwarding or for an XDMS. */
export function happenedIn(text: string): Promise<string> {
  return runFlow(text, {
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
}
