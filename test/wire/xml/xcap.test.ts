import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeXcapUri, parseXcapUri } from '../../../src/wire/xml/xcap-uri.js';
import { parseXcapNode, parseXmlns } from '../../../src/wire/xml/xcap-node.js';
import { fragmentOf, parseXcapDocument } from '../../../src/wire/xml/xcap-document.js';
import type { XcapDocument } from '../../../src/wire/xml/xcap-document.js';
import { deleteNode, putNode } from '../../../src/wire/xml/xcap-edit.js';
import { parseXcapError, writeXcapError, XcapConflict } from '../../../src/wire/xml/xcap-error.js';
import { WireError } from '../../../src/wire/error.js';
import { codeOf } from '../vectors.js';

const namespace = 'urn:oma:xml:im:history-list';
const node = (text: string, query = '') => parseXcapNode(text, query, namespace);
const documentOf = (text: string): XcapDocument => parseXcapDocument(Buffer.from(text));

const list =
  `<?xml version="1.0"?>\n<history-list xmlns="${namespace}" xmlns:x="urn:x">\n` +
  '  <history history-reference="sip:1@a"><size>1</size></history>\n' +
  '  <!-- <history> -->\n' +
  '  <history history-reference="sip:2@a" x:n="v"><x:size/>é<size>2</size></history>\n' +
  '  <other/>\n</history-list>\n';

describe('URIs', () => {
  test('XCAP-02: the path is split at the first ~~ and decoded', () => {
    const target =
      '/xcap/org.openmobilealliance.deferred-list/users/sip:tomas@example.net/deferred-list/~~/' +
      'history-list/history%5b@history-reference=%22sip:7%40s07%2f~~%22%5d?xmlns(a=urn:x)';
    expect(parseXcapUri(target, '/xcap')).toEqual({
      auid: 'org.openmobilealliance.deferred-list',
      tree: 'users',
      xui: 'sip:tomas@example.net',
      document: 'deferred-list',
      node: 'history-list/history[@history-reference="sip:7@s07/~~"]',
      query: 'xmlns(a=urn:x)',
    });
    expect(parseXcapUri('http://h:1/a/xcap-caps/global/index', '/a').document).toBe('index');
  });

  test.each([
    ['/other/a/global/index', 'XCAP_NOT_FOUND'],
    ['/xcap', 'XCAP_NOT_FOUND'],
    ['/xcap/', 'XCAP_NOT_FOUND'],
    ['/xcap/a', 'XCAP_NOT_FOUND'],
    ['/xcap/a/users', 'XCAP_NOT_FOUND'],
    ['/xcap/a/users/sip:b', 'XCAP_NOT_FOUND'],
    ['/xcap/a/users//d', 'XCAP_NOT_FOUND'],
    ['/xcap/a/users/b/d/', 'XCAP_NOT_FOUND'],
    ['/xcap/a/users/b/d%2fe', 'XCAP_NOT_FOUND'],
    ['/xcap/a/elsewhere/b/d', 'XCAP_NOT_FOUND'],
    ['/xcap/a/users/b%/d', 'XCAP_URI'],
    ['/xcap/a/users/%ff/d', 'XCAP_URI'],
    [`/xcap/a/users/${'b'.repeat(9000)}/d`, 'XCAP_URI'],
  ])('XCAP-01: %s names nothing', (target, code) => {
    expect(codeOf(() => parseXcapUri(target, '/xcap'))).toBe(code);
  });

  test('what is written is what is read', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/[/~]/.test(text));
    fc.assert(
      fc.property(name, name, name, fc.option(name, { nil: undefined }), (auid, xui, doc, rest) => {
        const uri = { auid, tree: 'users' as const, xui, document: doc };
        const named = rest === undefined ? uri : { ...uri, node: rest };
        const target = writeXcapUri('/r', named);
        expect(parseXcapUri(target, '/r')).toEqual({ ...named, query: '' });
      }),
    );
  });
});

describe('selectors', () => {
  test.each([
    ['', 'XCAP_SELECTOR'],
    ['/history-list', 'XCAP_SELECTOR'],
    ['history-list/', 'XCAP_SELECTOR'],
    ['history-list//history', 'XCAP_SELECTOR'],
    ['history[0]', 'XCAP_SELECTOR'],
    ['history[1', 'XCAP_SELECTOR'],
    ['history[@a]', 'XCAP_SELECTOR'],
    ['history[@a=1]', 'XCAP_SELECTOR'],
    ['history[@a="1"][2]', 'XCAP_SELECTOR'],
    ['history[@a="&lol;"]', 'XCAP_SELECTOR'],
    ['history[@a="<"]', 'XCAP_SELECTOR'],
    ['history[last()]', 'XCAP_SELECTOR'],
    ['history/@a/b', 'XCAP_SELECTOR'],
    ['@a', 'XCAP_SELECTOR'],
    ['namespace::*', 'XCAP_SELECTOR'],
    ['history/text()', 'XCAP_SELECTOR'],
    ['..', 'XCAP_SELECTOR'],
    [Array<string>(65).fill('a').join('/'), 'XCAP_SELECTOR'],
    ['x:history', 'XCAP_PREFIX'],
    ['history/@x:a', 'XCAP_PREFIX'],
    ['history[@x:a="1"]', 'XCAP_PREFIX'],
  ])('XCAP-02: %s is no node selector', (text, code) => {
    expect(codeOf(() => node(text))).toBe(code);
  });

  test('XCAP-01: prefixes are bound by xmlns() of the query only', () => {
    expect(parseXmlns('xmlns(a=urn:x)%20xmlns(b%20=%20u^(1^))foo(a(b)c)')).toEqual(
      new Map([
        ['xml', 'http://www.w3.org/XML/1998/namespace'],
        ['a', 'urn:x'],
        ['b', 'u(1)'],
      ]),
    );
    for (const query of ['xmlns(a=urn:x', 'a=b', 'xmlns(a)', 'xmlns(a=b^c)', '%', 'xmlns(=u)']) {
      expect(['XCAP_QUERY', 'XCAP_URI']).toContain(codeOf(() => parseXmlns(query)));
    }
  });

  test('XCAP-02: each step selects one element by name, position and attribute', () => {
    const document = documentOf(list);
    const get = (text: string, query?: string) => fragmentOf(document, node(text, query))?.text;
    const first = '<history history-reference="sip:1@a"><size>1</size></history>';
    expect(get('history-list/history[1]')).toBe(first);
    expect(get('*/*[1]')).toBe(first);
    expect(get('history-list/history[@history-reference="sip:1@a"]')).toBe(first);
    expect(get("history-list/history[@history-reference='sip&#58;1@a']")).toBe(first);
    expect(get('history-list/history[1][@history-reference="sip:1@a"]')).toBe(first);
    expect(get('history-list/history[2][@history-reference="sip:1@a"]')).toBeUndefined();
    expect(get('history-list/history')).toBeUndefined();
    expect(get('history-list/history[3]')).toBeUndefined();
    expect(get('history-list/*[3]')).toBe('<other/>');
    expect(get('history-list/other/more')).toBeUndefined();
    expect(get('history-list/history[2]/size')).toBe('<size>2</size>');
    expect(get('history-list/history[2]/p:size', 'xmlns(p=urn:x)')).toBe('<x:size/>');
    expect(get('history-list/history[@p:n="v"]/@p:n', 'xmlns(p=urn:x)')).toBe('v');
    expect(get('history-list/history[2]/@history-reference')).toBe('sip:2@a');
    expect(get('history-list/history[2]/@n')).toBeUndefined();
    expect(get('history-list/history[2]/p:size/namespace::*', 'xmlns(p=urn:x)')).toBe(
      `<x:size xmlns="${namespace}" xmlns:x="urn:x"/>`,
    );
    expect(get('history-list')).toBe(list.slice(list.indexOf('<history-list'), -1));
  });

  test('any text is a selector or an error of its own kind, in linear time', () => {
    const part = fc.constantFrom('a', '/', '[', ']', '@', '="', '"', '1', '*', ':', 'namespace::*');
    fc.assert(
      fc.property(
        fc.array(part).map((parts) => parts.join('')),
        (text) => {
          try {
            const { steps } = node(text);
            expect(steps.map((step) => step.text).join('/').length).toBeLessThanOrEqual(
              text.length,
            );
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        },
      ),
    );
    for (const unit of ['a:', '[1]', 'a/', '[@a="', '&amp;', '"', "[@a='"]) {
      expect(() => node(unit.repeat(200_000))).toThrow();
    }
  });
});

describe('changes', () => {
  const ancestor = (steps: readonly { readonly text: string }[]) =>
    steps.map((step) => step.text).join('/');
  const put = (text: string, selector: string, body: string, query?: string) =>
    putNode(documentOf(text), node(selector, query), Buffer.from(body), ancestor);
  const conflictOf = (change: () => unknown): unknown => {
    try {
      change();
      return undefined;
    } catch (error) {
      if (!(error instanceof XcapConflict)) throw error;
      const { kind, ancestor: closest } = error.conflict;
      return closest === undefined ? kind : [kind, closest];
    }
  };
  const third = '<history history-reference="sip:3@a"/>';

  test('S1-META-ADD, XCAP-05: a new element comes behind the last of its name', () => {
    const { text, created } = put(
      list,
      'history-list/history[@history-reference="sip:3@a"]',
      `\n ${third}\n`,
    );
    expect(created).toBe(true);
    expect(text).toBe(list.replace('<size>2</size></history>', `$&${third}`));
  });

  test('XCAP-05: the first of its name comes last, an empty parent is opened', () => {
    expect(put(list, 'history-list/new', '<new/>').text).toBe(
      list.replace('<other/>', '<other/><new/>'),
    );
    expect(put(list, 'history-list/other/new', '<new/>').text).toBe(
      list.replace('<other/>', '<other><new/></other>'),
    );
    expect(put('<a xmlns="u" > </a>', 'x:a/x:b', '<b/>', 'xmlns(x=u)').text).toBe(
      '<a xmlns="u" > <b/></a>',
    );
    expect(put(list, 'history-list/*[2]', '<first/>').created).toBe(false);
  });

  test('XCAP-05: a position is that of the element once it is there', () => {
    const root =
      '<history-list xmlns="urn:oma:xml:im:history-list"><a n="1"/><a n="2"/></history-list>';
    expect(put(root, 'history-list/a[3]', '<a n="3"/>').text).toContain('<a n="2"/><a n="3"/>');
    expect(put(root, 'history-list/a[1][@n="0"]', '<a n="0"/>').text).toContain(
      '><a n="0"/><a n="1"/>',
    );
    expect(conflictOf(() => put(root, 'history-list/a[4]', '<a/>'))).toBe('cannot-insert');
  });

  test('XCAP-03: conflicts by their names', () => {
    const selector = 'history-list/history[@history-reference="sip:3@a"]';
    expect(conflictOf(() => put(list, `${selector}/size`, '<size/>'))).toEqual([
      'no-parent',
      'history-list',
    ]);
    expect(conflictOf(() => put(list, 'nothing/a/b', '<b/>'))).toEqual(['no-parent', '']);
    expect(conflictOf(() => put(list, selector, '<history'))).toBe('not-xml-frag');
    expect(conflictOf(() => put(list, selector, 'text'))).toBe('not-xml-frag');
    expect(conflictOf(() => put(list, selector, '<a/><b/>'))).toBe('not-xml-frag');
    expect(conflictOf(() => put(list, selector, '<q:a/>'))).toBe('not-xml-frag');
    expect(conflictOf(() => put(list, selector, '<history/>'))).toBe('cannot-insert');
    expect(conflictOf(() => put(list, selector, '<x:history history-reference="sip:3@a"/>'))).toBe(
      'cannot-insert',
    );
    expect(conflictOf(() => put(list, 'history-list/history', third))).toBe('cannot-insert');
    expect(conflictOf(() => put(list, 'other', '<other/>'))).toBe('cannot-insert');
    expect(conflictOf(() => put(list, 'history-list/history[2]/@a', 'a<b'))).toBe(
      'not-xml-att-value',
    );
    expect(conflictOf(() => put(list, 'history-list/history[2]/@a', 'a&b'))).toBe(
      'not-xml-att-value',
    );
    expect(conflictOf(() => put(list, 'history-list/history[2]/@y:a', 'a', 'xmlns(y=urn:y)'))).toBe(
      'cannot-insert',
    );
    expect(
      conflictOf(() => putNode(documentOf(list), node(selector), Buffer.from([0xff]), ancestor)),
    ).toBe('not-utf-8');
    expect(conflictOf(() => parseXcapDocument(Buffer.from([0xff])))).toBe('not-utf-8');
    expect(conflictOf(() => parseXcapDocument(Buffer.from('<a>')))).toBe('not-well-formed');
    expect(conflictOf(() => parseXcapDocument(Buffer.from('<!DOCTYPE a><a/>')))).toBe(
      'constraint-failure',
    );
  });

  test('XCAP-03: attributes are set, replaced, deleted; quotes cannot break out', () => {
    const set = put(list, 'history-list/other/@a', 'x"y&amp;');
    expect(set).toEqual({
      text: list.replace('<other/>', '<other a="x&quot;y&amp;"/>'),
      created: true,
    });
    const again = put(set.text, 'history-list/other/@a', "'");
    expect(again).toEqual({ text: list.replace('<other/>', `<other a="'"/>`), created: false });
    expect(deleteNode(documentOf(again.text), node('history-list/other/@a'))).toBe(list);
    expect(deleteNode(documentOf(list), node('history-list/other/@a'))).toBeUndefined();
    const bound = put(list, 'history-list/other/@q:a', '1', 'xmlns(q=urn:x)');
    expect(bound.text).toBe(list.replace('<other/>', '<other x:a="1"/>'));
    const selector = 'history-list/history[@history-reference="sip:1@a"]/@history-reference';
    expect(conflictOf(() => put(list, selector, 'sip:9@a'))).toBe('cannot-insert');
  });

  test('S1-META-DEL, XCAP-05: DELETE takes the element and leaves the white space', () => {
    const selector = 'history-list/history[@history-reference="sip:1@a"]';
    expect(deleteNode(documentOf(list), node(selector))).toBe(
      list.replace('<history history-reference="sip:1@a"><size>1</size></history>', ''),
    );
    expect(deleteNode(documentOf(list), node('history-list/history[2]'))).toBeDefined();
    const conflict = (text: string) => conflictOf(() => deleteNode(documentOf(list), node(text)));
    expect(conflict('history-list/history[1]')).toBe('cannot-delete');
    expect(conflict('history-list/*[1]')).toBe('cannot-delete');
    expect(conflict('history-list')).toBe('cannot-delete');
    expect(deleteNode(documentOf(list), node('history-list/history[3]'))).toBeUndefined();
  });

  /** Documents with elements, attributes, comments, CDATA and text, in several namespaces. */
  const xml = fc
    .letrec<{ element: string; content: string }>((tie) => ({
      content: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(
          '',
          ' ',
          'text',
          '&lt;',
          'é',
          '💬',
          '<!-- <a> -->',
          '<![CDATA[</a>]]>',
          '\r\n',
        ),
        tie('element'),
      ),
      element: fc
        .tuple(
          fc.constantFrom('a', 'b', 'x:a'),
          fc.constantFrom(
            '',
            ' n="1"',
            " n = '<2>'".replace('<2>', '2>'),
            ' x:n="3" n="4"',
            '\n n="5"\r\n ',
          ),
          fc.array(tie('content'), { maxLength: 4 }),
        )
        .map(([name, attributes, content]) =>
          content.length === 0
            ? `<${name}${attributes}/>`
            : `<${name}${attributes}>${content.join('')}</${name}>`,
        ),
    }))
    .element.map((root) => `<r xmlns="${namespace}" xmlns:x="urn:x">${root}<c/></r>`);

  test('XCAP-05: what is put can be got, and is gone as if it had never been', () => {
    fc.assert(
      fc.property(xml, (text) => {
        const added = put(text, 'r/c/new[@n="1"]', '<new n="1">é</new>');
        const get = fragmentOf(documentOf(added.text), node('r/c/new'));
        expect(get?.text).toBe('<new n="1">é</new>');
        const deleted = deleteNode(documentOf(added.text), node('r/c/new'));
        expect(deleted).toBe(text.replace(/<c\/><\/r>$/, '<c></c></r>'));
      }),
    );
  });

  test('XCAP-02: every element is found where it stands', () => {
    fc.assert(
      fc.property(xml, (text) => {
        const document = documentOf(text);
        for (const [element, { start, end }] of document.places) {
          const slice = text.slice(start, end);
          const open = element.prefix === '' ? element.name : `${element.prefix}:${element.name}`;
          expect(slice.startsWith(`<${open}`)).toBe(true);
          expect(slice.endsWith(`</${open}>`) || slice.endsWith('/>')).toBe(true);
          const wrapped = `<w xmlns="${namespace}" xmlns:x="urn:x">${slice}</w>`;
          expect(documentOf(wrapped).root.children).toEqual([element]);
        }
      }),
    );
  });

  test('XCAP-03: errors are written and read', () => {
    const error = { kind: 'no-parent', ancestor: '/a/~~/b%5b1%5d', phrase: 'x' } as const;
    expect(parseXcapError(writeXcapError(error))).toEqual(error);
    expect(writeXcapError({ kind: 'uniqueness-failure', exists: 'a/b' }).toString()).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>' +
        '<xcap-error xmlns="urn:ietf:params:xml:ns:xcap-error">' +
        '<uniqueness-failure><exists field="a/b"/></uniqueness-failure></xcap-error>',
    );
    expect(parseXcapError(Buffer.from('<html/>'))).toBeUndefined();
    expect(parseXcapError(Buffer.from('no'))).toBeUndefined();
  });
});
