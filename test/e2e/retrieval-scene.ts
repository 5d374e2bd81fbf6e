/** A retrieval octet by octet: the INVITE of a bare SIP peer and the MSRP of a bare socket. */

import { once } from 'node:events';
import { createConnection } from 'node:net';
import { expect } from 'vitest';
import type { HeaderField, SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { parseSdp, sdpAttribute } from '../../src/wire/session-description.js';
import { responseTo } from '../../src/testing/sip-peer.js';
import { RawPeer } from '../transport/msrp/raw-peer.js';
import {
  contactOf,
  description,
  sdpType,
  type Inside,
  type SipScene,
  type WireScene,
} from './sip-scene.js';

export const tomas = 'sip:tomas@example.org';
export const deferred = 'sip:Deferred@store.example.org';
export const clientPath = 'msrp://127.0.0.1:9/peer;tcp';

/** The INVITE of a retrieval; whatever is given takes the place of what is usual. */
export function invitation(
  scene: WireScene,
  more: {
    readonly uri?: string;
    readonly headers?: readonly HeaderField[];
    readonly accept?: readonly string[];
    readonly body?: string | undefined;
    readonly type?: string;
    readonly callId?: string;
    readonly identity?: string | undefined;
  } = {},
) {
  const { uri = deferred, headers = [], accept = ['*;+g.oma.sip-im'] } = more;
  const body = 'body' in more ? more.body : description({});
  return {
    method: 'INVITE',
    uri,
    ...(more.callId !== undefined && { callId: more.callId }),
    ...('identity' in more && { identity: more.identity }),
    headers: [
      contactOf(scene),
      ...accept.map((value) => ['Accept-Contact', value] as const),
      ...(body === undefined ? [] : [['Content-Type', more.type ?? sdpType[1]] as const]),
      ...headers,
    ],
    ...(body !== undefined && { body }),
  };
}

const boundary = 'retrieval-boundary';

export const listType = `multipart/mixed;boundary="${boundary}"`;

/** A body of the offer and of lists, each part as it is given. */
export function withLists(...lists: readonly string[]): string {
  const parts = lists.map((list) =>
    [
      `--${boundary}`,
      'Content-Type: application/resource-lists+xml',
      'Content-Disposition: recipient-list',
      '',
      list,
    ].join('\r\n'),
  );
  const sdp = `--${boundary}\r\nContent-Type: application/sdp\r\n\r\n${description({})}`;
  return `${sdp}${parts.join('\r\n')}\r\n--${boundary}--\r\n`;
}

/** A list document with this inside of its one list. */
export function listOf(inner: string, attributes = ''): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"${attributes}>` +
    `<list>${inner}</list></resource-lists>`
  );
}

export function entry(serial: number | string, attributes = ''): string {
  const uri = typeof serial === 'number' ? `sip:${serial}@store.example.org` : serial;
  return `<entry uri="${uri}"${attributes}/>`;
}

/** Stores `count` messages for tomas, numbered from 1. */
export async function storeMessages({ ask }: WireScene, count: number): Promise<void> {
  for (let number = 1; number <= count; number++) {
    const headers = [['Content-Type', 'text/plain']] as const;
    const body = `message ${number}`;
    expect((await ask({ method: 'MESSAGE', uri: tomas, headers, body })).status).toBe(202);
  }
}

/** The dialog that a 200 has opened. */
export function insideOf(accepted: SipResponse, callId: string): Inside {
  const uri = /<([^>]+)>/.exec(accepted.header('Contact')!)![1]!;
  return { uri, callId, from: `<${tomas}>;tag=t`, to: accepted.header('To')! };
}

export interface Retrieving {
  readonly accepted: SipResponse;
  readonly inside: Inside;
}

/** A retrieval that is accepted and acknowledged, its MSRP session not bound. */
export async function retrieve(
  scene: WireScene,
  more: Parameters<typeof invitation>[1] = {},
): Promise<Retrieving> {
  const callId = more.callId ?? 'retrieval';
  const accepted = await scene.ask(invitation(scene, { ...more, callId }));
  expect(accepted.status).toBe(200);
  const inside = insideOf(accepted, callId);
  scene.send({ method: 'ACK', ...inside });
  return { accepted, inside };
}

/** Binds the MSRP session of a retrieval: the client is active (MSRP-11). */
export async function bind({ accepted }: Retrieving): Promise<RawPeer> {
  const path = sdpAttribute(parseSdp(accepted.body).media[0]!, 'path')!;
  const socket = createConnection({ host: '127.0.0.1', port: Number(/:(\d+)\//.exec(path)![1]) });
  socket.setNoDelay(true);
  await once(socket, 'connect');
  const peer = new RawPeer(socket);
  peer.write(send(path, 'bind0001'));
  expect(await peer.status('bind0001')).toBe(200);
  return peer;
}

/** A SEND of the client. */
export function send(path: string, id: string, body?: string): string {
  const head = `MSRP ${id} SEND\r\nTo-Path: ${path}\r\nFrom-Path: ${clientPath}\r\nMessage-ID: m${id}\r\n`;
  if (body === undefined) return `${head}Byte-Range: 1-0/0\r\n-------${id}$\r\n`;
  const range = `Byte-Range: 1-${body.length}/${body.length}\r\nContent-Type: text/plain\r\n`;
  return `${head}${range}\r\n${body}\r\n-------${id}$\r\n`;
}

/** Answers the SEND with that index, and reports it when that was asked for. */
export async function confirm(peer: RawPeer, index: number, status = 200): Promise<string> {
  const { head, body } = await peer.request(index);
  peer.answer(head, status);
  const { messageId, fromPath } = head;
  if (status === 200) {
    peer.write(
      `MSRP report${index} REPORT\r\nTo-Path: ${fromPath.join(' ')}\r\nFrom-Path: ${clientPath}\r\n` +
        `Message-ID: ${messageId}\r\nByte-Range: 1-${body.length}/${body.length}\r\n` +
        `Status: 000 200 OK\r\n-------report${index}$\r\n`,
    );
  }
  return body.toString();
}

/** The next request of that method; it is answered. */
export async function expectRequest(scene: WireScene, method: string): Promise<SipRequest> {
  const { request, reply } = await scene.request();
  expect(request.method).toBe(method);
  reply(responseTo(request, 200));
  return request;
}

/** The ACK of a refusal belongs to the transaction of the INVITE. */
export function acknowledge(scene: WireScene, answer: SipResponse, uri: string): void {
  const callId = answer.header('Call-ID')!;
  const to = answer.header('To')!;
  if (answer.status < 300) scene.send({ method: 'ACK', uri: inContact(answer), callId, to });
  else scene.send({ method: 'ACK', uri, callId, to, branch: branchOf(answer) });
}

export function inContact(answer: SipResponse): string {
  return /<([^>]+)>/.exec(answer.header('Contact')!)![1]!;
}

export function branchOf(answer: SipResponse): string {
  return /branch=z9hG4bK([^;]+)/.exec(answer.header('Via')!)![1]!;
}

/** IMSpec-DMT-S-010: no listener, lease, focus or MSRP session. */
export async function expectNothingLeft({ world }: SipScene): Promise<void> {
  expect(await world.server.counted()).toMatchObject({ 'actors.sessions': 0, dialogs: 0 });
}
