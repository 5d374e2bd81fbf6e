/** URI lists of a retrieval as peers and standards write them (LIST-01 to LIST-08). */

import { expect, test } from 'vitest';
import {
  bind,
  confirm,
  entry,
  expectRequest,
  listOf,
  retrieve,
  storeMessages,
} from './retrieval-scene.js';
import { description, withServer } from './sip-scene.js';

const noPush = { push: { default: false } };

/** The same two messages, in XML, parts and headers as peers and standards write them. */
const one = 'sip:1@store.example.org';
const three = 'sip:3@store.example.org';
const lists = 'urn:ietf:params:xml:ns:resource-lists';
const usual = [
  'Content-Type: application/resource-lists+xml',
  'Content-Disposition: recipient-list',
];
const forms: [string, string, string[]?][] = [
  ['ids without scheme', listOf(entry('1@store.example.org') + entry('3@store.example.org'))],
  ['ids in angle brackets', listOf(entry(`&lt;${one}&gt;`) + entry(`&lt;${three}&gt;`))],
  ['hosts in other letters', listOf(entry('sip:1@STORE.Example.ORG') + entry(three))],
  [
    'URI parameters and escapes',
    listOf(entry(`${one};method=INVITE`) + entry('sip:%33@store.example.org')),
  ],
  [
    'a prefix',
    `<r:resource-lists xmlns:r="${lists}"><r:list><r:entry uri="${one}"/><r:entry uri="${three}"/></r:list></r:resource-lists>`,
  ],
  [
    'names to show',
    listOf(`<entry uri="${one}"><display-name>Keys</display-name></entry>${entry(3)}`),
  ],
  [
    'comments, blanks and a byte order mark',
    `\uFEFF${listOf(`\n  <!-- two -->\n  ${entry(3)}\n  ${entry(1)}\n`)}`,
  ],
  ['single quotes and references', listOf(`<entry uri='sip:&#49;@store.example.org'/>${entry(3)}`)],
  ['two lists in one document', listOf(`${entry(1)}</list><list>${entry(3)}`)],
  [
    'elements of others',
    listOf(
      `<x:y xmlns:x="urn:x"><x:entry uri="sip:2@store.example.org"/></x:y>${entry(1)}${entry(3)}`,
    ),
  ],
  [
    'a disposition that may be passed over',
    listOf(entry(1) + entry(3)),
    [
      'content-type: Application/Resource-Lists+XML;charset="utf-8"',
      'content-disposition: Recipient-List;handling=optional',
    ],
  ],
];

test.each(forms)(
  'IMSpec-DMT-S-009, D-01, LIST-04, LIST-08: a list with %s names what it means',
  (_name, list, head = usual) =>
    withServer(async (scene) => {
      await storeMessages(scene, 3);
      for (const isFirst of [true, false]) {
        const parts = [
          [...head, '', list],
          ['Content-Type: application/sdp', '', description({})],
        ];
        if (!isFirst) parts.reverse();
        const body = parts.map((lines) => `--edge\r\n${lines.join('\r\n')}\r\n`).join('');
        const type = 'multipart/mixed; boundary=edge';
        const sketch = { body: `${body}--edge--\r\n`, type, callId: `form-${isFirst}` };
        const msrp = await bind(await retrieve(scene, sketch));
        expect(await confirm(msrp, 0)).toContain('message 1');
        expect(await confirm(msrp, 1)).toContain('message 3');
        await expectRequest(scene, 'BYE');
        expect(msrp.requests).toHaveLength(2);
        msrp.socket.destroy();
      }
    }, noPush),
);
