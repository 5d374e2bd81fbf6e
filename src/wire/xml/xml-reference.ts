/** References of XML inside a text: predefined entities and characters (XML 1.0, 4.1). */

import { isXmlText } from './write.js';

const predefined: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** The characters that the text stands for; undefined for a reference that leads nowhere. */
export function xmlCharacters(text: string): string | undefined {
  if (!text.includes('&')) return isXmlText(text) ? text : undefined;
  let characters = '';
  let from = 0;
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', from)) {
    const match = /&(?:([a-z]{2,4})|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));/y;
    match.lastIndex = at;
    const found = match.exec(text);
    const character = found ? characterOf(found) : undefined;
    if (character === undefined) return undefined;
    characters += text.slice(from, at) + character;
    from = match.lastIndex;
  }
  characters += text.slice(from);
  return isXmlText(characters) ? characters : undefined;
}

function characterOf([, name, decimal, hexadecimal]: RegExpExecArray): string | undefined {
  if (name !== undefined) return predefined.get(name);
  const code = decimal === undefined ? parseInt(hexadecimal!, 16) : Number(decimal);
  return code > 0x10ffff ? undefined : String.fromCodePoint(code);
}
