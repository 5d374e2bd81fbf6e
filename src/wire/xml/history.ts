/** Metadata of deferred messages: `urn:oma:xml:im:history-list`. */

import { WireError } from '../error.js';
import { attributeOf, childrenOf, parseXml, textOf } from './tree.js';
import type { XmlElement } from './tree.js';
import { xmlDeclaration, xmlDocument, xmlElement } from './write.js';

export const historyNamespace = 'urn:oma:xml:im:history-list';

export interface History {
  /** `history-reference`: the Message-ID as a SIP URI. */
  readonly reference: string;
  /** Octets. */
  readonly size: number;
  /** RFC 3339; absent when messages do not expire (D-26). */
  readonly expiry?: string;
  readonly subject?: string;
  readonly pager: HistoryPager;
  /** RFC 3339: the sender's date. */
  readonly date?: string;
}

export interface HistoryPager {
  /** RFC 3339: when it was received. */
  readonly timeStamp: string;
  readonly from: string;
  readonly to: string;
  readonly authId?: string;
}

/** One `<history>` element, as PUT by itself. Throws WireError `XML_CHARACTER`. */
export function writeHistory(history: History): string {
  return element(history, [['xmlns', historyNamespace]]);
}

/** A whole document of these elements. */
export function writeHistoryList(histories: readonly History[]): Buffer {
  const children = histories.map(writeHistoryEntry);
  return xmlDocument(xmlElement('history-list', [['xmlns', historyNamespace]], children));
}

/** One element as it stands in a document, where the namespace is that of the root. */
export function writeHistoryEntry(history: History): string {
  return element(history, []);
}

/** What stands before and behind the elements of a document that is written piece by piece. */
export const historyListFrame = {
  start: `${xmlDeclaration}<history-list xmlns="${historyNamespace}">`,
  end: '</history-list>',
} as const;

/** One `<history>` element by itself. Throws WireError `XML_…`, `HISTORY_…`. */
export function parseHistory(body: Buffer): History {
  const root = parseXml(body);
  if (root.name !== 'history' || root.namespace !== historyNamespace) {
    throw new WireError('HISTORY_ROOT', 'the root is not history');
  }
  const history = readHistory(root);
  if (history === undefined) throw new WireError('HISTORY_PAGER', 'there is no pager');
  return history;
}

/** Histories of conferences are no deferred messages and left out. Throws as `parseHistory`. */
export function parseHistoryList(body: Buffer): History[] {
  const root = parseXml(body);
  if (root.name !== 'history-list' || root.namespace !== historyNamespace) {
    throw new WireError('HISTORY_ROOT', 'the root is not history-list');
  }
  return childrenOf(root, 'history', historyNamespace)
    .map(readHistory)
    .filter((history) => history !== undefined);
}

type Declaration = readonly (readonly [string, string])[];

/** Children in the order of the schema. */
function element(history: History, declaration: Declaration): string {
  const { reference, size, expiry, subject, pager, date } = history;
  return xmlElement(
    'history',
    [...declaration, ['history-reference', reference]],
    [
      xmlElement('size', [], String(size)),
      ...optional('expiry', expiry),
      ...optional('subject', subject),
      xmlElement(
        'pager',
        [],
        [
          xmlElement('time-stamp', [], pager.timeStamp),
          xmlElement('from', [], pager.from),
          xmlElement('to', [], pager.to),
          ...optional('auth-id', pager.authId),
        ],
      ),
      ...optional('date', date),
    ],
  );
}

function optional(name: string, text: string | undefined): string[] {
  return text === undefined ? [] : [xmlElement(name, [], text)];
}

function readHistory(history: XmlElement): History | undefined {
  const [pager] = childrenOf(history, 'pager', historyNamespace);
  if (pager === undefined) return undefined;
  const reference = attributeOf(history, 'history-reference');
  const size = childText(history, 'size');
  if (reference === undefined) throw new WireError('HISTORY_REFERENCE', 'there is no reference');
  if (size === undefined || !/^\d{1,15}$/.test(size)) {
    throw new WireError('HISTORY_SIZE', 'the size is missing or no number');
  }
  const expiry = childText(history, 'expiry');
  const subject = childText(history, 'subject');
  const date = childText(history, 'date');
  const authId = childText(pager, 'auth-id');
  return {
    reference,
    size: Number(size),
    ...(expiry !== undefined && { expiry }),
    ...(subject !== undefined && { subject }),
    pager: {
      timeStamp: childText(pager, 'time-stamp') ?? '',
      from: childText(pager, 'from') ?? '',
      to: childText(pager, 'to') ?? '',
      ...(authId !== undefined && { authId }),
    },
    ...(date !== undefined && { date }),
  };
}

function childText(parent: XmlElement, name: string): string | undefined {
  return textOf(childrenOf(parent, name, historyNamespace)[0]);
}
