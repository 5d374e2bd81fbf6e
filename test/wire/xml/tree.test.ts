/** The XML tree and its writer, by vectors and properties. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributeOf, childrenOf, parseXml, textOf } from '../../../src/wire/xml/tree.js';
import type { XmlElement } from '../../../src/wire/xml/tree.js';
import { escapeXml, isXmlText, xmlDocument, xmlElement } from '../../../src/wire/xml/write.js';
import { codeOf, vectors } from '../vectors.js';

describe.each(vectors<XmlElement>('xml'))('$name', ({ bytes, expect: root, error }) => {
  test('whole', () => {
    if (error !== undefined) expect(codeOf(() => parseXml(bytes))).toBe(error);
    else expect(parseXml(bytes)).toEqual(root);
  });

  test('cut anywhere, with trailing octets: a tree or a WireError', () => {
    for (let at = 0; at < Math.min(bytes.length, 500); at++) {
      const code = codeOf(() => parseXml(bytes.subarray(0, at)));
      if (error === undefined) expect(code).toMatch(/^XML_NOT_/);
    }
    const code = codeOf(() => parseXml(Buffer.concat([bytes, Buffer.from('<x/>')])));
    if (error === undefined) expect(code).toMatch(/^XML_NOT_/);
  });
});

describe('parseXml', () => {
  test.each([
    ['size', '<a><b k="v"/></a>', 'XML_TOO_LONG', 17],
    ['depth', '<a><b k="v"/></a>', 'XML_TOO_DEEP', 2],
    ['elements', '<a><b k="v"/></a>', 'XML_TOO_MANY', 2],
    ['attributes', '<a k="v" l="w"/>', 'XML_TOO_MANY', 2],
    ['attributeValue', '<a k="vw"/>', 'XML_TOO_LONG', 2],
  ])('the bound of %s', (limit, text, code, enough) => {
    const parse = (bound: number) => codeOf(() => parseXml(Buffer.from(text), { [limit]: bound }));
    expect(parse(enough)).toBeUndefined();
    expect(parse(enough - 1)).toBe(code);
  });

  test('a document at its bounds takes no time that grows with the square', () => {
    const namespace = 'u'.repeat(4096);
    const text = `<a xmlns:p="${namespace}">${'<p:b p:k=""/>'.repeat(16000)}</a>`;
    expect(parseXml(Buffer.from(text)).children).toHaveLength(16000);
  });

  test('finds attributes, children and text by namespace', () => {
    const root = parseXml(
      Buffer.from('<a xmlns:p="u" p:k="1" k="2"> t <p:b/>u <b/><b xmlns="u"/></a>'),
    );
    expect(attributeOf(root, 'k')).toBe('2');
    expect(attributeOf(root, 'k', 'u')).toBe('1');
    expect(attributeOf(root, 'constructor')).toBeUndefined();
    expect(childrenOf(root, 'b', 'u')).toHaveLength(2);
    expect(childrenOf(root, 'b', '')).toHaveLength(1);
    expect(textOf(root)).toBe('t u');
    expect(textOf(undefined)).toBeUndefined();
  });
});

describe('writer', () => {
  test('refuses what XML cannot hold', () => {
    for (const text of ['\0', '\u000b', '\ufffe', '\ud800']) {
      expect(codeOf(() => escapeXml(text))).toBe('XML_CHARACTER');
      expect(isXmlText(text)).toBe(false);
    }
    expect(isXmlText('\t\n\r é \u{1f511}')).toBe(true);
  });

  test('leaves out what is undefined', () => {
    expect(xmlElement('a', [['k', undefined]])).toBe('<a/>');
    expect(xmlElement('a', [['k', '"']], '<')).toBe('<a k="&quot;">&lt;</a>');
    expect(xmlElement('a', [], [xmlElement('b', [], 'c')])).toBe('<a><b>c</b></a>');
  });

  test('what is written is what is parsed', () => {
    const text = fc.string({ unit: 'binary' }).filter(isXmlText);
    fc.assert(
      fc.property(text, text, (value, content) => {
        const root = parseXml(xmlDocument(xmlElement('a', [['k', value]], content)));
        expect(attributeOf(root, 'k')).toBe(value);
        expect(root.children.filter((child) => typeof child === 'string').join('')).toBe(content);
      }),
      { numRuns: 300 },
    );
  });

  test('any octets are a tree or a WireError', () => {
    const pieces = ['<a>', '</a>', '<a/>', '<', '>', '&', ';', '"', ' k="', '<!', '--', '<?', 'x'];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string())), (text) => {
        codeOf(() => parseXml(Buffer.from(text.join(''))));
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        codeOf(() => parseXml(Buffer.from(bytes)));
      }),
    );
  });
});
