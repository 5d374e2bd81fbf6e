/** Node selectors of XCAP and the namespaces of their prefixes (RFC 4825 6.3, 6.4). */

import { WireError } from '../error.js';
import { xmlCharacters } from './xml-reference.js';
import { decode } from './xcap-uri.js';

export interface XcapName {
  readonly namespace: string;
  /** Local name. */
  readonly name: string;
}

/** One step: exactly one element has to be selected by it. */
export interface XcapStep {
  /** As written, decoded. */
  readonly text: string;
  /** Absent: `*`, any name. */
  readonly name?: XcapName;
  /** From 1 on, among the siblings of that name. */
  readonly position?: number;
  readonly attribute?: XcapName & { readonly value: string };
}

export type XcapTerminal =
  { readonly kind: 'attribute'; readonly name: XcapName } | { readonly kind: 'namespaces' };

export interface XcapNode {
  /** At least one. */
  readonly steps: readonly XcapStep[];
  /** Absent: the element itself. */
  readonly terminal?: XcapTerminal;
}

/** Steps of one selector. */
const stepsMax = 64;
const nameForm = /(?:([\p{L}_][\p{L}\p{M}\p{N}._-]*):)?([\p{L}_][\p{L}\p{M}\p{N}._-]*)/uy;
const positionForm = /\[([0-9]{1,9})\]/y;
const attributeStart = /\[@/y;
const valueForm = /=(?:"([^"<]*)"|'([^'<]*)')\]/y;
const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';

/**
 * `namespace` is the default one of the usage: that of steps without a prefix. Throws WireError
 * `XCAP_SELECTOR`, and `XCAP_PREFIX` for a prefix that the query does not bind.
 */
export function parseXcapNode(text: string, query: string, namespace: string): XcapNode {
  const reader = new SelectorReader(text, parseXmlns(query), namespace);
  return reader.read();
}

/**
 * The prefixes that a query binds: `xmlns(a=urn:x)xmlns(b=urn:y)` (XPointer). Throws WireError
 * `XCAP_QUERY`.
 */
export function parseXmlns(query: string): ReadonlyMap<string, string> {
  const text = decode(query);
  const bound = new Map([['xml', xmlNamespace]]);
  let at = 0;
  while (at < text.length) {
    const match = /\s*([\p{L}_][\p{L}\p{N}._-]*)\(/uy;
    match.lastIndex = at;
    const scheme = match.exec(text)?.[1];
    if (scheme === undefined) throw queryError();
    const data = schemeData(text, match.lastIndex);
    at = data.end;
    // XPointer 3.2: a scheme that is not known is passed over.
    if (scheme === 'xmlns') bind(bound, data.value);
  }
  return bound;
}

function bind(bound: Map<string, string>, data: string): void {
  const parts = /^([\p{L}_][\p{L}\p{N}._-]*)\s*=\s*(\S+)$/u.exec(data);
  if (!parts) throw queryError();
  bound.set(parts[1]!, parts[2]!);
}

/** XPointer 3.1: parentheses are balanced, or escaped by a circumflex. */
function schemeData(text: string, from: number): { readonly value: string; readonly end: number } {
  let depth = 1;
  let value = '';
  for (let at = from; at < text.length; at++) {
    const character = text[at]!;
    if (character === '^') {
      const escaped = text[++at];
      if (escaped === undefined || !'^()'.includes(escaped)) throw queryError();
      value += escaped;
      continue;
    }
    if (character === '(') depth++;
    if (character === ')' && --depth === 0) return { value, end: at + 1 };
    value += character;
  }
  throw queryError();
}

function queryError(): WireError {
  return new WireError('XCAP_QUERY', 'the query is no list of xmlns()');
}

class SelectorReader {
  readonly #text: string;
  readonly #prefixes: ReadonlyMap<string, string>;
  readonly #namespace: string;
  #at = 0;

  constructor(text: string, prefixes: ReadonlyMap<string, string>, namespace: string) {
    this.#text = text;
    this.#prefixes = prefixes;
    this.#namespace = namespace;
  }

  read(): XcapNode {
    const steps: XcapStep[] = [];
    for (;;) {
      const terminal = steps.length > 0 ? this.#terminal() : undefined;
      if (terminal) return { steps, terminal };
      steps.push(this.#step());
      if (this.#at === this.#text.length) return { steps };
      if (this.#text[this.#at] !== '/' || steps.length === stepsMax) throw selectorError();
      this.#at++;
    }
  }

  #terminal(): XcapTerminal | undefined {
    const rest = this.#text.slice(this.#at);
    if (rest === 'namespace::*') return { kind: 'namespaces' };
    if (!rest.startsWith('@')) return undefined;
    this.#at++;
    const name = this.#name('');
    if (this.#at < this.#text.length) throw selectorError();
    return { kind: 'attribute', name };
  }

  #step(): XcapStep {
    const from = this.#at;
    const name = this.#anyName();
    const position = this.#match(positionForm)?.[1];
    const attribute = this.#match(attributeStart) ? this.#attribute() : undefined;
    if (position !== undefined && Number(position) === 0) throw selectorError();
    return {
      text: this.#text.slice(from, this.#at),
      ...(name && { name }),
      ...(position !== undefined && { position: Number(position) }),
      ...(attribute && { attribute }),
    };
  }

  #anyName(): XcapName | undefined {
    if (this.#text[this.#at] !== '*') return this.#name(this.#namespace);
    this.#at++;
    return undefined;
  }

  #attribute(): XcapStep['attribute'] {
    const name = this.#name('');
    const value = this.#match(valueForm);
    if (!value) throw selectorError();
    const text = xmlCharacters(value[1] ?? value[2]!);
    if (text === undefined) throw selectorError();
    return { ...name, value: text };
  }

  #name(namespace: string): XcapName {
    const match = this.#match(nameForm);
    if (!match) throw selectorError();
    const [, prefix, name] = match;
    if (prefix === undefined) return { namespace, name: name! };
    const bound = this.#prefixes.get(prefix);
    if (bound === undefined) throw new WireError('XCAP_PREFIX', 'a prefix is not bound');
    return { namespace: bound, name: name! };
  }

  #match(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.#at;
    const match = form.exec(this.#text);
    if (!match) return undefined;
    this.#at = form.lastIndex;
    return match;
  }
}

function selectorError(): WireError {
  return new WireError('XCAP_SELECTOR', 'the node selector is none');
}
