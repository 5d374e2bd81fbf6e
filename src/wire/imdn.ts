/** Instant message disposition notifications (RFC 5438): the body and the CPIM around it. */

export type ImdnNotification = 'delivery' | 'processing' | 'display';

/** The content of an `<imdn>`. */
export interface Imdn {
  /** imdn.Message-ID of the message it tells of. */
  readonly messageId: string;
  /** DateTime of that message, as written there. */
  readonly dateTime: string;
  readonly recipientUri?: string;
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

export function writeImdn(imdn: Imdn): Buffer {
  throw new Error(imdn.status);
}

/** Throws WireError `IMDN_…` or `XML_…`. */
export function parseImdn(body: Buffer): Imdn {
  throw new Error(String(body.length));
}

/** The whole message/cpim that carries a report. */
export function writeImdnMessage(message: ImdnMessage): Buffer {
  throw new Error(message.from);
}
