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
import { serialsOf } from './world.js';

const noPush = { push: { default: false } };

const lists = 'urn:ietf:params:xml:ns:resource-lists';
const usual = [
  'Content-Type: application/resource-lists+xml',
  'Content-Disposition: recipient-list',
];

/** The first and the third of three messages, and the one between that is not meant. */
interface Named {
  readonly one: number;
  readonly two: number;
  readonly three: number;
}

/** The same two messages, in XML, parts and headers as peers and standards write them. */
const forms: [string, (named: Named) => string, string[]?][] = [
  [
    'ids without scheme',
    ({ one, three }) =>
      listOf(entry(`${one}@store.example.org`) + entry(`${three}@store.example.org`)),
  ],
  [
    'ids in angle brackets',
    ({ one, three }) => listOf(entry(`&lt;${uriOf(one)}&gt;`) + entry(`&lt;${uriOf(three)}&gt;`)),
  ],
  [
    'hosts in other letters',
    ({ one, three }) => listOf(entry(`sip:${one}@STORE.Example.ORG`) + entry(three)),
  ],
  [
    'URI parameters and escapes',
    ({ one, three }) =>
      listOf(
        entry(`${uriOf(one)};method=INVITE`) +
          entry(`sip:${String(three).replace(/\d/g, '%3$&')}@store.example.org`),
      ),
  ],
  [
    'a prefix',
    ({ one, three }) =>
      `<r:resource-lists xmlns:r="${lists}"><r:list><r:entry uri="${uriOf(one)}"/><r:entry uri="${uriOf(three)}"/></r:list></r:resource-lists>`,
  ],
  [
    'names to show',
    ({ one, three }) =>
      listOf(`<entry uri="${uriOf(one)}"><display-name>Keys</display-name></entry>${entry(three)}`),
  ],
  [
    'comments, blanks and a byte order mark',
    ({ one, three }) => `\uFEFF${listOf(`\n  <!-- two -->\n  ${entry(three)}\n  ${entry(one)}\n`)}`,
  ],
  [
    'single quotes and references',
    ({ one, three }) => {
      const digits = String(one).replace(/\d/g, (digit) => `&#${digit.charCodeAt(0)};`);
      return listOf(`<entry uri='sip:${digits}@store.example.org'/>${entry(three)}`);
    },
  ],
  [
    'two lists in one document',
    ({ one, three }) => listOf(`${entry(one)}</list><list>${entry(three)}`),
  ],
  [
    'elements of others',
    ({ one, two, three }) =>
      listOf(
        `<x:y xmlns:x="urn:x"><x:entry uri="${uriOf(two)}"/></x:y>${entry(one)}${entry(three)}`,
      ),
  ],
  [
    'a disposition that may be passed over',
    ({ one, three }) => listOf(entry(one) + entry(three)),
    [
      'content-type: Application/Resource-Lists+XML;charset="utf-8"',
      'content-disposition: Recipient-List;handling=optional',
    ],
  ],
];

test.each(forms)(
  'IMSpec-DMT-S-009, D-01, LIST-04, LIST-08: a list with %s names what it means',
  (_name, write, head = usual) =>
    withServer(async (scene) => {
      await storeMessages(scene, 3);
      const [one, two, three] = await serialsOf(scene.world);
      const list = write({ one: one!, two: two!, three: three! });
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

function uriOf(serial: number): string {
  return `sip:${serial}@store.example.org`;
}
