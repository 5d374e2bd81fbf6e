/** Messages that ask for reports, and the reports as they come over the wire (RFC 5438). */

import { expect } from 'vitest';
import type { ManualClock } from '../../src/testing/clock.js';
import { responseTo } from '../../src/testing/sip-peer.js';
import { parseCpim } from '../../src/wire/cpim.js';
import type { Cpim } from '../../src/wire/cpim.js';
import { parseImdn } from '../../src/wire/imdn.js';
import type { Imdn } from '../../src/wire/imdn.js';
import type { HeaderField, SipRequest } from '../../src/wire/sip/message.js';
import { settled, type SipScene, type Sketch, type WireScene } from './sip-scene.js';

export interface Wishes {
  /** imdn.Message-ID. */
  readonly id: string;
  readonly wants?: string;
  /** CPIM From. */
  readonly from?: string;
  readonly to?: string;
  readonly cpimHeaders?: readonly string[];
  readonly inner?: string;
  readonly headers?: readonly HeaderField[];
  readonly sketch?: Partial<Sketch>;
}

/** The sender, reachable at the peer's own socket. */
export function niaAt({ peer }: Pick<WireScene, 'peer'>): string {
  return `sip:nia@127.0.0.1:${peer.port}`;
}

/** A MESSAGE for tomas that asks for reports. */
export function asking(scene: WireScene, wishes: Wishes): Sketch {
  const nia = niaAt(scene);
  const { id, wants = 'negative-delivery', from = nia, cpimHeaders = [] } = wishes;
  const { to = 'sip:tomas@example.org', inner = 'text/plain', headers = [], sketch } = wishes;
  const body = [
    `From: <${from}>`,
    `To: <${to}>`,
    'DateTime: 2026-11-20T09:00:00Z',
    'NS: imdn <urn:ietf:params:imdn>',
    `imdn.Message-ID: ${id}`,
    `imdn.Disposition-Notification: ${wants}`,
    ...cpimHeaders,
    '',
    `Content-Type: ${inner}`,
    '',
    'The spare keys are under the blue pot.',
  ].join('\r\n');
  return {
    method: 'MESSAGE',
    uri: 'sip:tomas@example.org',
    from: `<${nia}>;tag=n`,
    headers: [['Content-Type', 'message/cpim'], ...headers],
    body,
    ...sketch,
  };
}

export interface Report {
  readonly request: SipRequest;
  readonly cpim: Cpim;
  readonly imdn: Imdn;
}

/** The next request, which has to be a report; answered with that status. */
export async function nextReport(
  scene: WireScene,
  { clock, status = 200 }: { readonly clock?: ManualClock; readonly status?: number } = {},
): Promise<Report> {
  let came = false;
  const arrival = scene.request().finally(() => (came = true));
  // Timers that fall due behind an answer of the store want the clock to be looked at again.
  while (clock && !came) {
    clock.advance(0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { request, reply } = await arrival;
  expect(request.method).toBe('MESSAGE');
  reply(responseTo(request, status, { tag: 'peer' }));
  const cpim = parseCpim(request.body);
  return { request, cpim, imdn: parseImdn(cpim.body) };
}

/** Nothing has come, and nothing that the server does at once is outstanding. */
export async function expectNothing(scene: SipScene, clock?: ManualClock): Promise<void> {
  await settled(scene.world, clock);
  expect((await scene.ask({ method: 'OPTIONS', uri: 'sip:tomas@example.org' })).status).toBe(200);
}

/** A header of the CPIM. */
export function cpimHeader({ cpim }: Report, name: string): string | undefined {
  return cpim.headers.find(([field]) => field === name)?.[1];
}
