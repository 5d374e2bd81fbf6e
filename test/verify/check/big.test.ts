
import { test } from 'vitest';
import { recorded, firstLine } from './recorded.js';
import { plays } from './plays.js';
import { manyPushed } from './many-pushed.js';
import { checkTrace } from '../../../src/verify/check/check.js';
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
test('big', async () => {
  const push = await recorded(plays['push']!.play);
  for (const count of [500, 1000, 2000]) {
    const messages = manyPushed(push, count);
    const before = process.cpuUsage();
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    const verdict = checkTrace({ messages, remarks: [] }, { fromStart: true });
    const { profile } = await session.post('Profiler.stop');
    const { user } = process.cpuUsage(before);
    console.info(count, messages.length, user / 1e6, verdict.violations.length, JSON.stringify(verdict.violations[0] ?? null).slice(0, 300));
    const self = new Map<string, number>();
    const byId = new Map(profile.nodes.map((n) => [n.id, n]));
    const dt = profile.timeDeltas!;
    profile.samples!.forEach((id, i) => { const n = byId.get(id)!; const k = `${n.callFrame.functionName} ${n.callFrame.url.replace(/.*verify.src/, '')}:${n.callFrame.lineNumber}`; self.set(k, (self.get(k) ?? 0) + dt[i]!); });
    console.info([...self].sort((a, b) => b[1] - a[1]).slice(0, 22).map(([k, v]) => `${(v / 1000).toFixed(0)} ms ${k}`).join('\n'));
    writeFileSync(`/tmp/wv-prof-${count}.json`, JSON.stringify(profile));
  }
}, 300_000);
