/** The metadata document of a user: a view on the store, never a copy (D-31, D-80 to D-85). */

import type { AccountId, AccountsPort, StoredHistory } from '../../ports.js';
import { WireError } from '../../wire/error.js';
import { historyListFrame, historyNamespace, writeHistoryEntry } from '../../wire/xml/history.js';
import { fragmentOf, readDocument, xcapElementType } from '../../wire/xml/xcap-document.js';
import { XcapConflict } from '../../wire/xml/xcap-error.js';
import type { XcapNode, XcapStep } from '../../wire/xml/xcap-node.js';
import { selectPath } from '../../wire/xml/xcap-select.js';
import type { XcapUri } from '../../wire/xml/xcap-uri.js';
import { historyElement } from './history-element.js';
import type {
  XcapAnswer,
  XcapIdentities,
  XcapResource,
  XcapUsage,
  XcapView,
  XcapWrite,
  XcapWritten,
} from './usage.js';

export const deferredListAuid = 'org.openmobilealliance.deferred-list';
export const deferredListType = 'application/vnd.oma.im.deferred-list+xml';

/** Histories that are read at a time. */
const page = 256;

/** The owner reads it, and deletes a message by its `<history>`; everything else is refused. */
export class DeferredListUsage implements XcapUsage {
  readonly auid = deferredListAuid;
  readonly contentType = deferredListType;
  readonly namespace = historyNamespace;
  readonly isPublic = false;
  readonly #accounts: AccountsPort;

  constructor(accounts: AccountsPort) {
    this.#accounts = accounts;
  }

  /** Metadata without a message would be a lie: only the store makes it. */
  mayWrite(): boolean {
    return false;
  }

  open({ tree, xui, document }: XcapUri, identities: XcapIdentities): XcapResource | undefined {
    if (tree !== 'users' || xui === undefined || document !== 'deferred-list') return undefined;
    const account = ownedAccount(this.#accounts, xui, identities);
    return account === undefined ? undefined : new DeferredList(this.#accounts, account);
  }
}

/** The account of a user whom one of the identities is. */
export function ownedAccount(
  accounts: Pick<AccountsPort, 'accountOf'>,
  xui: string,
  identities: XcapIdentities,
): AccountId | undefined {
  const account = accounts.accountOf(xui);
  if (account === undefined) return undefined;
  return identities.some((identity) => accounts.accountOf(identity) === account)
    ? account
    : undefined;
}

class DeferredList implements XcapResource {
  readonly #accounts: AccountsPort;
  readonly #account: AccountId;

  constructor(accounts: AccountsPort, account: AccountId) {
    this.#accounts = accounts;
    this.#account = account;
  }

  async read(): Promise<XcapView> {
    const { historyVersion, messages } = await this.#accounts.summary(this.#account);
    return {
      etag: historyVersion,
      whole: () => this.#pieces(historyListFrame.start),
      node: (node) => this.#node(node, messages),
    };
  }

  put(): Promise<never> {
    return Promise.reject(forbidden());
  }

  async delete({ node }: XcapWrite): Promise<XcapWritten | undefined> {
    // Other nodes are parts of what the store says, and the root is there as long as the user is.
    if (node?.steps.length !== 2 || node.terminal) throw forbidden();
    const { messages } = await this.#accounts.summary(this.#account);
    const history = await this.#history(node.steps, messages);
    if (!history) return undefined;
    const [, step] = node.steps;
    if (step?.attribute === undefined && step?.position !== undefined && step.position < messages) {
      // RFC 4825 8.4: the next one would be selected then.
      throw new XcapConflict({ kind: 'cannot-delete' });
    }
    const deleted = await this.#accounts.deleteMessages(this.#account, [history.serial]);
    if (deleted === 0) return undefined;
    const { historyVersion } = await this.#accounts.summary(this.#account);
    return { etag: historyVersion, created: false };
  }

  // ------------------------------------------------------------------------------- reading

  /** A page at a time, so that the size of the mailbox does not matter. */
  async *#pieces(start: string): AsyncGenerator<string> {
    let piece = start;
    let after = 0;
    for (;;) {
      const histories = await this.#accounts.histories(this.#account, { after, limit: page });
      for (const history of histories) piece += textOf(history);
      yield piece;
      piece = '';
      if (histories.length < page) break;
      after = histories.at(-1)!.serial;
    }
    yield historyListFrame.end;
  }

  async #node(node: XcapNode, messages: number): Promise<XcapAnswer | undefined> {
    const { steps, terminal } = node;
    if (steps.length === 1 && !terminal) {
      const { start } = historyListFrame;
      const root = start.slice(start.indexOf('<history-list'));
      return selectsRoot(steps) ? { type: xcapElementType, text: this.#pieces(root) } : undefined;
    }
    if (steps.length === 1) return fragmentOf(documentOf(''), node);
    const history = await this.#history(steps, messages);
    if (!history) return undefined;
    if (steps.length === 2 && !terminal) return { type: xcapElementType, text: textOf(history) };
    const [root, step, ...rest] = steps;
    // The only one in a document of its own.
    const alone = { text: step!.text, ...(step!.name && { name: step!.name }) };
    return fragmentOf(documentOf(textOf(history)), { ...node, steps: [root!, alone, ...rest] });
  }

  /** The message that the first two steps select. */
  async #history(steps: readonly XcapStep[], messages: number): Promise<StoredHistory | undefined> {
    const [, step] = steps;
    if (!step || !selectsRoot(steps.slice(0, 1)) || !namesHistory(step)) return undefined;
    const { attribute, position } = step;
    if (attribute) {
      if (attribute.namespace !== '' || attribute.name !== 'history-reference') return undefined;
      const found = await this.#byReference(attribute.value);
      if (!found || position === undefined) return found;
      const at = await this.#byPosition(position);
      return at?.serial === found.serial ? found : undefined;
    }
    if (position === undefined) return messages === 1 ? this.#byPosition(1) : undefined;
    return position > messages ? undefined : this.#byPosition(position);
  }

  async #byReference(reference: string): Promise<StoredHistory | undefined> {
    const serial = this.#accounts.serialOf(reference);
    if (serial === undefined) return undefined;
    const range = { after: serial - 1, limit: 1 };
    const [found] = await this.#accounts.histories(this.#account, range);
    return found?.serial === serial && found.reference === reference ? found : undefined;
  }

  async #byPosition(position: number): Promise<StoredHistory | undefined> {
    let after = 0;
    for (let before = 0; ; before += page) {
      const limit = Math.min(page, position - before);
      const histories = await this.#accounts.histories(this.#account, { after, limit });
      if (before + histories.length === position) return histories.at(-1);
      if (histories.length < page) return undefined;
      after = histories.at(-1)!.serial;
    }
  }
}

function textOf(history: StoredHistory): string {
  return writeHistoryEntry(historyElement(history));
}

function documentOf(element: string): ReturnType<typeof readDocument> {
  const { start, end } = historyListFrame;
  return readDocument(Buffer.from(`${start}${element}${end}`), {});
}

function selectsRoot(steps: readonly XcapStep[]): boolean {
  return selectPath(documentOf('').root, steps).outcome === 'one';
}

function namesHistory({ name }: XcapStep): boolean {
  return !name || (name.name === 'history' && name.namespace === historyNamespace);
}

function forbidden(): WireError {
  return new WireError('XCAP_FORBIDDEN', 'only the message store changes this', 403);
}
