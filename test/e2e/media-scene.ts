/** A client with a real MSRP endpoint before a real server; its SIP and SDP are written by hand. */

import { expect } from 'vitest';
import type { SettingsInput } from '../../src/config.js';
import { responseTo } from '../../src/testing/sip-peer.js';
import type { MsrpEndpointOptions } from '../../src/transport/msrp/options.js';
import { formatFingerprint } from '../../src/wire/msrp/fingerprint.js';
import { msrpRemote, parseSdp } from '../../src/wire/sdp.js';
import type { Sdp } from '../../src/wire/sdp.js';
import { tagOf } from '../../src/wire/sip/name-addr.js';
import type { SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { startEndpoint } from '../transport/msrp/raw-peer.js';
import type { Running } from '../transport/msrp/raw-peer.js';
import { contactOf, hostname, sdpType, withServer } from './sip-scene.js';
import type { SipScene, Sketch } from './sip-scene.js';

export interface MediaScene extends SipScene {
  readonly client: Running;
}

/** What a description of the client says; its endpoint tells the rest. */
export interface Lines {
  readonly uri: string;
  readonly setup?: string;
  /** Of c= and m=. */
  readonly address?: { readonly host: string; readonly port: number };
  readonly more?: readonly string[];
}

export async function withMedia(
  given: {
    readonly msrp?: SettingsInput['msrp'];
    readonly limits?: SettingsInput['limits'];
    readonly profile?: SettingsInput['profile'];
    readonly client?: Partial<MsrpEndpointOptions>;
  },
  play: (scene: MediaScene) => Promise<void>,
): Promise<void> {
  const client = await startEndpoint(given.client);
  try {
    const { msrp, profile } = given;
    const more = { ...(msrp && { msrp }), ...(profile && { profile }) };
    await withServer((scene) => play({ ...scene, client }), given.limits, 'udp', more);
  } finally {
    await client.endpoint.stop(0);
  }
}

/** One m=message line and what belongs to it. */
export function mediaLines({ uri, setup = 'active', address, more = [] }: Lines): string[] {
  const [, scheme, port] = /^(msrps?):\/\/[^:]+:(\d+)/.exec(uri)!;
  return [
    `m=message ${address?.port ?? port} TCP/${scheme === 'msrps' ? 'TLS/' : ''}MSRP *`,
    ...(address ? [`c=IN IP4 ${address.host}`] : []),
    'a=recvonly',
    `a=setup:${setup}`,
    'a=accept-types:message/sipfrag message/cpim',
    'a=accept-wrapped-types:*',
    ...more,
    `a=path:${uri}`,
  ];
}

export function described(...media: readonly (readonly string[])[]): string {
  const session = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
  return [...session, ...media.flat(), ''].join('\r\n');
}

/** The a=fingerprint of the client's own certificate. */
export function fingerprintLine({ client }: Pick<MediaScene, 'client'>): string {
  return `a=fingerprint:${formatFingerprint(client.endpoint.fingerprint!)}`;
}

export async function storeText({ ask }: SipScene, body: string): Promise<void> {
  const uri = 'sip:tomas@example.org';
  const headers = [['Content-Type', 'text/plain']] as const;
  expect((await ask({ method: 'MESSAGE', uri, headers, body })).status).toBe(202);
}

/** The INVITE of a retrieval with that offer. */
export function retrievalOf(scene: SipScene, body: string, callId: string): Sketch {
  const headers = [contactOf(scene), ['Accept-Contact', '*;+g.oma.sip-im'], sdpType] as const;
  return { method: 'INVITE', uri: `sip:Deferred@${hostname}`, callId, headers, body };
}

/** A retrieval that is accepted and acknowledged. */
export async function accepted(
  scene: SipScene,
  body: string,
  callId = 'retrieval',
): Promise<{ readonly answer: SipResponse; readonly sdp: Sdp }> {
  const answer = await scene.ask(retrievalOf(scene, body, callId));
  expect(answer.status).toBe(200);
  const uri = /<([^>]+)>/.exec(answer.header('Contact')!)![1]!;
  const from = '<sip:tomas@example.org>;tag=t';
  scene.send({ method: 'ACK', uri, callId, from, to: answer.header('To')! });
  return { answer, sdp: parseSdp(answer.body) };
}

/** Registers, so that the server pushes; its INVITE. */
export async function pushed(
  scene: SipScene,
): Promise<{ readonly invite: SipRequest; answer(body: string): Promise<void> }> {
  const { ask, request } = scene;
  const headers = [contactOf(scene), ['Expires', '600']] as const;
  const to = '<sip:tomas@example.org>';
  expect((await ask({ method: 'REGISTER', uri: 'sip:example.org', to, headers })).status).toBe(200);
  const { request: invite, reply } = await request();
  expect(invite.method).toBe('INVITE');
  expect(tagOf(invite.header('From'))).toBeDefined();
  return {
    invite,
    async answer(body) {
      const contact = contactOf(scene);
      const head = responseTo(invite, 200, { tag: 'peer', headers: [contact, sdpType] });
      const text = head
        .toString('latin1')
        .replace(/Content-Length: 0/, `Content-Length: ${body.length}`);
      reply(Buffer.from(`${text}${body}`, 'latin1'));
      expect((await request()).request.method).toBe('ACK');
    },
  };
}

/** Connects the client to the server as its description says, as owner `tomas`. */
export function connectTo({ client }: MediaScene, sdp: Sdp, active: boolean): void {
  const remote = msrpRemote(sdp)!;
  client.endpoint.connect('tomas', { ...remote, active });
}

/** The text of the next message that has come in whole, which is a sipfrag. */
export async function arrivedText({ client }: MediaScene): Promise<string> {
  await client.recorder.until(({ bodies }) => bodies.length > 0);
  const text = client.recorder.bodies[0]!.toString();
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

/** The next request of the server is BYE: the session is over. */
export async function ended({ request }: SipScene): Promise<SipRequest> {
  const { request: bye, reply } = await request();
  expect(bye.method).toBe('BYE');
  reply(responseTo(bye, 200));
  return bye;
}
