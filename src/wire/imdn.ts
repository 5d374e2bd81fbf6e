/** Instant message disposition notifications (RFC 5438): the body and the CPIM around it. */

import { imdnNamespace, wrapCpim } from './cpim.js';
import { WireError } from './error.js';
import { childrenOf, parseXml, textOf } from './xml/tree.js';
import type { XmlElement } from './xml/tree.js';
import { xmlDocument, xmlElement } from './xml/write.js';

export type ImdnNotification = 'delivery' | 'processing' | 'display';

/** The content of an `<imdn>`. */
export interface Imdn {
  /** imdn.Message-ID of the message it tells of. */
  readonly messageId: string;
  /** DateTime of that message, as written there. */
  readonly dateTime: string;
  readonly recipientUri?: string;
  /** Iff that message had Original-To. */
  readonly originalRecipientUri?: string;
  readonly subject?: string;
  readonly notification: ImdnNotification;
  /** `delivered`, `failed`, `forbidden`, `error`, `processed`, `stored`, `displayed`. */
  readonly status: string;
}

export interface ImdnMessage {
  /** URIs: the recipient of the message, and its sender (IMDN-03). */
  readonly from: string;
  readonly to: string;
  /** RFC 3339: when the report is made. */
  readonly dateTime: string;
  /** A fresh imdn.Message-ID. */
  readonly messageId: string;
  /** IMDN-Record-Route of the message, topmost first; becomes IMDN-Route (IMDN-04). */
  readonly route?: readonly string[];
  readonly imdn: Imdn;
}

const namespace = 'urn:ietf:params:xml:ns:imdn';
const notifications: readonly ImdnNotification[] = ['delivery', 'processing', 'display'];

/** Throws WireError `XML_CHARACTER`. */
export function writeImdn(imdn: Imdn): Buffer {
  const status = xmlElement('status', [], [xmlElement(imdn.status, [])]);
  const root = xmlElement(
    'imdn',
    [['xmlns', namespace]],
    [
      xmlElement('message-id', [], imdn.messageId),
      xmlElement('datetime', [], imdn.dateTime),
      ...optional('recipient-uri', imdn.recipientUri),
      ...optional('original-recipient-uri', imdn.originalRecipientUri),
      ...optional('subject', imdn.subject),
      xmlElement(`${imdn.notification}-notification`, [], [status]),
    ],
  );
  return xmlDocument(root);
}

/** Throws WireError `IMDN_…` or `XML_…`. */
export function parseImdn(body: Buffer): Imdn {
  const root = parseXml(body);
  if (root.name !== 'imdn' || root.namespace !== namespace) {
    throw new WireError('IMDN_ROOT', 'the root is not imdn');
  }
  const messageId = childText(root, 'message-id');
  const dateTime = childText(root, 'datetime');
  if (messageId === undefined || dateTime === undefined) {
    throw new WireError('IMDN_MESSAGE', 'message-id or datetime is missing');
  }
  const recipientUri = childText(root, 'recipient-uri');
  const originalRecipientUri = childText(root, 'original-recipient-uri');
  const subject = childText(root, 'subject');
  return {
    messageId,
    dateTime,
    ...(recipientUri !== undefined && { recipientUri }),
    ...(originalRecipientUri !== undefined && { originalRecipientUri }),
    ...(subject !== undefined && { subject }),
    ...readStatus(root),
  };
}

/**
 * The whole message/cpim that carries a report. It asks for no report itself. Throws WireError
 * `CPIM_FIELD`, `XML_CHARACTER`.
 */
export function writeImdnMessage(message: ImdnMessage): Buffer {
  const body = writeImdn(message.imdn);
  return wrapCpim({
    from: message.from,
    to: message.to,
    dateTime: message.dateTime,
    headers: [
      ['NS', `imdn <${imdnNamespace}>`],
      ['imdn.Message-ID', message.messageId],
      ...(message.route ?? []).map((uri): [string, string] => ['imdn.IMDN-Route', `<${uri}>`]),
    ],
    contentType: 'message/imdn+xml',
    contentHeaders: [
      ['Content-Disposition', 'notification'],
      ['Content-Length', String(body.length)],
    ],
    body,
  });
}

function optional(name: string, text: string | undefined): string[] {
  return text === undefined ? [] : [xmlElement(name, [], text)];
}

function childText(parent: XmlElement, name: string): string | undefined {
  return textOf(childrenOf(parent, name, namespace)[0]);
}

function readStatus(root: XmlElement): Pick<Imdn, 'notification' | 'status'> {
  for (const notification of notifications) {
    const [element] = childrenOf(root, `${notification}-notification`, namespace);
    const [status] = element === undefined ? [] : childrenOf(element, 'status', namespace);
    const value = status?.children.find((child) => typeof child !== 'string');
    if (value !== undefined) return { notification, status: value.name };
  }
  throw new WireError('IMDN_STATUS', 'there is no notification with a status');
}
