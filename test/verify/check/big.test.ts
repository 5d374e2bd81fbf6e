import { test, expect } from 'vitest';
import { recorded } from './recorded.js';
import { writePcap } from '../../../src/verify/capture/write.js';
import { writeFileSync } from 'node:fs';
test('big', async () => {
  const trace = await recorded(async (stage) => {
    const alice = await stage.client('alice');
    for (let n = 0; n < 2000; n++) expect((await alice.send('sip:bob@example.org', `m${n}`, { subject: `s${n}` })).status).toBe(202);
    const bob = await stage.client('bob', { onDelivery: () => undefined });
    await bob.register();
    await stage.until((lines) => lines.some((line) => line.startsWith('BYE')));
  });
  writeFileSync('/tmp/wv-big.pcap', writePcap(trace));
}, 300_000);
