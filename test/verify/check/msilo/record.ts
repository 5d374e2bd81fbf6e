/** Kamailio msilo under the requests of deferred messaging, as its peers see it. */

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSipPeer, responseTo } from '../../../../src/testing/sip-peer.js';
import type { Observed } from '../../../../src/verify/capture/observed.js';
import { description, sceneAt, sdpType } from '../../../e2e/sip-scene.js';
import { startKamailio } from '../../../interop/kamailio.js';
import { freePort } from '../../../loopback-port.js';
import { Tap } from '../tap.js';

const configuration = fileURLToPath(new URL('msilo.cfg', import.meta.url));
const tables = '/usr/share/kamailio/dbtext/kamailio';
const bob = 'sip:bob@example.org';
const alice = '<sip:alice@example.org>';

/** Two messages are stored, asked about, and fetched by a REGISTER. */
export async function recordMsilo(): Promise<{
  readonly messages: readonly Observed[];
  readonly server: string;
}> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-msilo-'));
  const table = readFileSync(join(tables, 'silo'), 'utf8');
  // As the table comes, db_text wants columns that msilo does not give it.
  writeFileSync(join(directory, 'silo'), table.replace(/(callid|status)\((\w+)\)/g, '$1($2,null)'));
  writeFileSync(join(directory, 'version'), readFileSync(join(tables, 'version')));
  const port = await freePort();
  const kamailio = await startKamailio({
    ...{ configuration, port },
    listen: [`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`],
    definitions: [`DBURL="text://${directory}"`, `OWN="sip:127.0.0.1:${port}"`],
  });
  const tap = new Tap(() => Date.now(), port);
  const peer = await openSipPeer('udp');
  try {
    const isLate = once(AbortSignal.timeout(60_000), 'abort').then(() => {
      throw new Error(`kamailio is silent: ${kamailio.log()}`);
    });
    await Promise.race([converse(sceneAt(peer, port), peer.port), isLate]);
    return { messages: tap.messages, server: `127.0.0.1:${port}` };
  } finally {
    tap.end();
    await peer.close();
    await kamailio.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function converse(scene: ReturnType<typeof sceneAt>, port: number): Promise<void> {
  const text = ['Content-Type', 'text/plain'] as const;
  const contact = ['Contact', `<sip:bob@127.0.0.1:${port}>;+g.oma.sip-im`] as const;
  const from = `${alice};tag=a`;
  const own = { from: `<${bob}>;tag=b`, identity: `<${bob}>` };
  for (const body of ['one', 'two']) {
    const message = { method: 'MESSAGE', uri: bob, headers: [text], body, from, identity: alice };
    await scene.ask(message);
  }
  const event = ['Event', 'message-summary'] as const;
  await scene.ask({ method: 'SUBSCRIBE', uri: bob, headers: [contact, event], ...own });
  const tags = ['Accept-Contact', '*;+g.oma.sip-im'] as const;
  const retrieval = { method: 'INVITE', uri: 'sip:Deferred@example.org', body: description({}) };
  await invite(scene, { ...retrieval, headers: [contact, tags, sdpType], ...own });
  const large = ['Accept-Contact', '*;+g.oma.sip-im.large-message;require;explicit'] as const;
  const body = description({ direction: 'sendonly' });
  const headers = [contact, large, sdpType];
  await invite(scene, { method: 'INVITE', uri: bob, headers, body, from, identity: alice });
  const to = `<${bob}>`;
  const registration = [contact, ['Expires', '600'] as const];
  scene.send({ method: 'REGISTER', uri: 'sip:example.org', to, headers: registration, ...own });
  let replayed = 0;
  while (replayed < 2) {
    const { message, reply } = await scene.arrival();
    if (message.kind !== 'request') continue;
    replayed++;
    reply(responseTo(message, 200, { tag: 'bob' }));
  }
}

/** With the ACK that ends what was refused. */
async function invite(
  scene: ReturnType<typeof sceneAt>,
  sketch: Parameters<ReturnType<typeof sceneAt>['ask']>[0],
): Promise<void> {
  const { uri, from } = sketch;
  const call = { branch: `${uri.length}`, callId: `call-of-${uri}` };
  const to = (await scene.ask({ ...sketch, ...call })).header('To') ?? '';
  scene.send({ method: 'ACK', uri, to, ...call, ...(from && { from }) });
}
